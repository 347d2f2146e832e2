from langchain_lmswitch.embedded.worker.loading import first_error

LOG = """\
0.00.000.407 I srv          init: initializing ...
0.00.148.770 E llama_model_load: error loading model: data is not within the file bounds
0.00.148.782 E llama_model_load_from_file_impl: failed to load model
"""


def test_the_first_error_is_the_cause() -> None:
    assert first_error(LOG) == (
        "llama_model_load: error loading model: data is not within the file bounds"
    )


def test_a_log_without_errors_gives_nothing() -> None:
    assert first_error("0.00.000.407 I srv          init: initializing ...\n") == ""
