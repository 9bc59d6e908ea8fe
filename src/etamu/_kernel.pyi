# The compiled door: built from src/kernel by CMake when etamu is installed.

version: str

def vector_width() -> str: ...
