"""How hard a request is, from 0 to 1, by what it asks for and how it is written."""

import re
from typing import Final

from langchain_lmswitch.policy.wording import Wording, words_in

_CONDITIONS: Final = words_in(
    "must should exactly only without least most unless except never always each every given "
    "satisfy ensure require required constraint constraints muss genau ohne nur doit exactement "
    "sans debe exactamente sin deve senza"
)
_STEPS: Final = words_in(
    "then after finally first second next prove derive optimize design implement analyze compare "
    "evaluate determine deduce simultaneously respectively total altogether remaining twice "
    "beweise begründe prouve démontrer demuestra dimostra докажите"
)
_ADVANCED: Final = words_in(
    "theorem lemma eigenvalue eigenvector manifold topology homomorphism isomorphic isomorphism "
    "integral derivative differential polynomial asymptotic convergence stochastic bayesian "
    "quantum hamiltonian thermodynamic entropy enthalpy equilibrium stoichiometry orbital "
    "spectroscopy relativistic tensor fourier laplace wavelength impedance inductance voltage "
    "turbine viscosity reynolds jurisdiction negligence fiduciary statute epistemology ontology "
    "pathophysiology pharmacology receptor enzyme concurrency distributed compiler deadlock "
    "recursion dynamic complexity np beweisen satz théorème teorema"
)
_LIST: Final = re.compile(r"^\s*(?:[-*\u2022]|\d+[.)])\s", re.MULTILINE)
_FORMAL: Final = re.compile(r"\\[a-z]+|\$|[\^_]\{|[a-z]\([a-z]\)|[\u2200-\u22ff\u03b1-\u03c9]")


def difficulty(said: Wording) -> float:
    """Tell how hard a request is; what is short and plain starts at a tenth.

    1. Length: a fifth from ten words to a thousand.
    2. Conditions to keep, and points of a list: a fifth at eight.
    3. Steps to take: a fifth at six.
    4. Formal notation: a fifth at eight signs.
    5. Terms of advanced study: a fifth at three.
    """
    parts = (
        _share(len(said.text) // 6, 300),  # 1
        _share(_count(said, _CONDITIONS) + len(_LIST.findall(said.text)), 8),  # 2
        _share(_count(said, _STEPS), 6),  # 3
        _share(len(_FORMAL.findall(said.lower)), 8),  # 4
        _share(_count(said, _ADVANCED), 3),  # 5
    )
    return round(min(0.1 + 0.2 * sum(parts), 1.0), 3)


def _count(said: Wording, words: frozenset[str]) -> int:
    return sum(word in words for word in said.words)


def _share(count: int, enough: int) -> float:
    return min(count / enough, 1.0)
