# The other end of r_.py: reads a tolerance per line, fits, prints seconds, iterations and coefficients on one line.
# Arguments: folder, formula, family, link, name of the exposure or "", rows, columns of X or 0, 1 for a summary.
about <- commandArgs(trailingOnly = TRUE)
folder <- about[1]
rows <- as.integer(about[6])
columns <- as.integer(about[7])
if (columns > 0) {
  X <- matrix(readBin(file.path(folder, "X.bin"), "double", rows * columns), rows, columns)
  data <- list(y = readBin(file.path(folder, "y.bin"), "double", rows), X = X)
} else {
  data <- read.csv(file.path(folder, "table.csv"), stringsAsFactors = TRUE)
  # Levels in the order of sorted bytes, and numbers that are names as factors too: as the other libraries have them.
  if ("VehPower" %in% names(data) && !is.factor(data$VehPower)) data$VehPower <- factor(as.character(data$VehPower))
  for (name in names(data)) if (is.factor(data[[name]]))
    data[[name]] <- factor(data[[name]], levels = sort(levels(data[[name]]), method = "radix"))
}
model <- as.formula(about[2])
kind <- get(about[3])(link = about[4])
offset <- if (nzchar(about[5])) log(data[[about[5]]]) else NULL
lines <- file("stdin", "r")
while (length(line <- readLines(lines, 1)) > 0) {
  start <- proc.time()[["elapsed"]]
  times <- if (about[8] == "1") 20 else 1   # the grain of proc.time is a millisecond
  for (i in seq_len(times)) {
    fit <- glm(model, family = kind, data = data, offset = offset, control = list(epsilon = as.numeric(line)))
    if (about[8] == "1") text <- capture.output(print(summary(fit)))
  }
  seconds <- (proc.time()[["elapsed"]] - start) / times
  cat(sprintf("%.6f", seconds), fit$iter, sprintf("%.17g", coef(fit)), "\n")
  flush(stdout())
}
