"""Every knob, its default, and the names that set it."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from langchain_lmswitch.settings.files import usual_home
from langchain_lmswitch.settings.forms import Bytes, Folders, HomePath, Models, Names, Roles
from langchain_lmswitch.settings.reading import LayeredSettings
from langchain_lmswitch.types.contexts import ContextMode, Overflow
from langchain_lmswitch.types.tasks import Role


class Settings(LayeredSettings):
    """All settings; each is given, or else read when the object is made, and kept.

    Of several places that say something, the first counts:

    1. An argument.
    2. The environment: `LMSWITCH_<NAME>`. An empty variable says nothing, or is an empty list.
    3. The project's file: `lmswitch.toml` in the current directory, or in the nearest one above it
       that has one, up to the home directory. See `settings.sources.PERSONAL` for what it may not
       say, since it may be a stranger's.
    4. The user's file: `lmswitch.toml` where the system keeps settings, or the file that
       `LMSWITCH_CONFIG` names (`off`: no file is read). `lmswitch config --path` tells where.
    5. The defaults.

    Files are looked for whenever settings are made, and read again if they have changed.

    Raises:
        BadSettings: A value cannot be, a name is no setting, or a file cannot be read.

    Example:
        ```python
        from langchain_lmswitch import Settings

        settings = Settings(context_tokens=16384, models={"coder": {"pin": True}})
        print(settings.context_tokens, settings.models[0].models, settings.models[0].pin)
        ```

        ```text
        16384 coder True
        ```
    """

    base_url: str | None = None
    """Address of the model host as `host:port`; without one, a host is looked for."""

    api_key: SecretStr | None = None
    """Token of the model host, `sk-lm-...`; read from `LM_API_TOKEN` too."""

    home: HomePath = Field(default_factory=usual_home)
    """Where pulled weights lie, what is remembered, and the files of the embedded host; the user's
    data folder, if nothing else is said."""

    model_folders: Folders = ()
    """More folders of GGUF files to serve; in a variable, separated as in `PATH`."""

    models: Models = ()
    """What holds for some models only: in a file, tables such as `[models."coder"]`; in a variable,
    a JSON object such as `{"coder": {"max_context": 16384}}`. See `ModelSettings`."""

    context_tokens: int = Field(default=8192, ge=256)
    """Context to load a model with; less if the model was trained for less."""

    parallel: int = Field(default=1, ge=1, le=64)
    """Requests one loaded model answers at the same time."""

    ttl_s: float = Field(default=3600, gt=0)
    """Idle seconds after which the host unloads a model that we loaded."""

    unload_at_exit: bool = True
    """Whether the last of our processes unloads, as it ends, the models that it has used and that
    this package loaded. `lmswitch` commands leave them to `ttl_s` unless told otherwise."""

    headroom_bytes: Bytes = Field(default=512 * 2**20, ge=0)
    """Memory that must stay free after a load, as a number of bytes or with a unit: `2GiB`."""

    budget_bytes: Bytes | None = Field(default=None, gt=0)
    """Memory that loaded models may hold together, in the same form, whatever the machine has;
    without it, there is no limit. For a host on another computer, whose memory cannot be measured,
    it is the only bound."""

    evict_foreign: bool = False
    """Whether models that somebody else loaded may be unloaded to make room."""

    evict_helpers: bool = False
    """Whether chat models may make embedding models leave, and embedding models chat models."""

    load_timeout_s: float = Field(default=600, gt=0)
    """Longest wait for a sign of life from a load."""

    timeout_s: float = Field(default=120, gt=0)
    """Longest wait for a sign of life from an answer or any other call."""

    linger_s: float = Field(default=30, ge=0)
    """How long an embedded host that we started stays after its last client has gone."""

    threads: int | None = Field(default=None, ge=1)
    """Threads of the embedded host's engine; without it, model and machine decide."""

    allow: Names = ()
    """The only models that may answer, as keys, parts of keys, or globs such as `qwen*`; or
    `vision` and `tools` for models that can. Empty is all. In a variable, they are separated by
    commas."""

    deny: Names = ()
    """Models that may never answer, not even if they are named; in the same form. What a project's
    file denies is denied beside what the user's file does."""

    roles: Roles = ()
    """What models are good at: `{"coder": ["code"]}` makes them the first choice for a task,
    `{"coder": {"code": 0.9}}` says how much of it they get right. In a variable, it is such a JSON
    object; in a file, a table, or said in the tables of `models`."""

    queue_limit: int = Field(default=64, ge=1)
    """Requests that may wait for a model to be loaded at the same time; one more is refused."""

    queue_timeout_s: float = Field(default=1800, gt=0)
    """Longest wait for a model without its load coming nearer; then the request fails."""

    refine: Literal["off", "embedding", "chat"] = "off"
    """Who is asked what a request wants where the rules are unsure: an embedding model, or a chat
    model of 1.5 to 4 billion parameters, if one is in memory and idle. None is loaded for that.
    `explain` asks it, too."""

    refine_timeout_s: float | None = Field(default=None, gt=0)
    """Longest wait for the word of `refine`; without it, 0.15 for an embedding model and 0.6 for a
    chat model."""

    remember: bool = True
    """Whether loads, decisions, answers (no words of theirs) and grades are remembered on disk, for
    later processes to learn from. If not, what is learnt ends with the process."""

    context: ContextMode = "on"
    """What becomes of a conversation longer than the context: `on` keeps the recent turns and puts
    back the earlier ones that the question needs; `observe` sends it as it is and only reports what
    `on` would make of it; `off` sends it as it is."""

    summarizer: str = "auto"
    """Who summarizes what leaves the context, in the background while nothing else is asked: `auto`
    is a chat model in memory that has at least 1.5 billion parameters, `off` nobody, and a key that
    model if it is in memory. None is loaded for that, and none has to leave."""

    embedder: str = "auto"
    """Who embeds what was said earlier, so that it is found in other words too: `auto` is an
    embedding model in memory, else the encoder of the `embedded` extra in this process (120 MB),
    `off` nobody, and a key that model if it is in memory. None is loaded for that. An answer waits
    0.3 s for it at most."""

    context_store: HomePath | None = None
    """A file that keeps indexes and summaries of long conversations for later processes: words of
    theirs are in it. Without one, they are kept in memory only."""

    on_overflow: Overflow = "clip"
    """Whether a message that is larger than its place is cut (`clip`), or refused (`raise`)."""

    learn: bool = True
    """Whether answers are graded, by `feedback` and by what becomes of them, and the grades change
    later choices. If not, `feedback` does nothing; what was learnt stays, and is not used."""

    explore: float = Field(default=0.5, ge=0, le=1)
    """How readily a loaded model is tried of which too little is known to tell whether it is the
    better one; 0 never tries."""

    @property
    def all_roles(self) -> tuple[Role, ...]:
        """What models are good at: what `roles` says, then what `models` says of single ones."""
        return (*self.roles, *(role for one in self.models for role in one.as_roles()))

    @property
    def models_home(self) -> Path:
        """Where `lmswitch pull` puts weights, as `publisher/repository/file.gguf`."""
        return self.home / "models"

    @property
    def ledger_path(self) -> Path:
        """Where loads, decisions, answers and grades are remembered."""
        return self.home / "ledger.sqlite"

    @property
    def loaded_by_hand_path(self) -> Path:
        """Where it is noted what `lmswitch load` has loaded, and stays."""
        return self.run_home / "loaded_by_hand.json"

    @property
    def run_home(self) -> Path:
        """Where the embedded host keeps its port file, lock, token and log."""
        return self.home / "run"
