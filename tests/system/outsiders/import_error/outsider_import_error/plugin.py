# mypy: ignore-errors
import a_module_that_nobody_has  # noqa: F401 - nobody has it, on purpose
