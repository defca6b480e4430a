"""Every compared method, in the order of the table."""

from functools import partial
from typing import Any, Literal

from bench import weights
from bench.methods import color_transfer, distributions, learned, ours
from bench.methods.poisson import poisson
from bench.methods.regions import Mapper, recolored
from bench.methods.registry import Harmonize, Method

_OURS = "MIT (this project)"


def _composite(composite: Any, foreground: Any, reference: Any = None) -> Any:
    return composite.copy()


def _always(harmonize: Harmonize) -> Any:
    return lambda method: harmonize


def _transfer(name: str, title: str, mapper: Mapper, **facts: Any) -> list[Method]:
    """One statistical method against both regions it can look at."""
    return [
        Method(
            name=f"{name}-{region}",
            title=f"{title}, {region}",
            kind="classical",
            looks_at=region,
            build=_always(recolored(mapper, region)),
            **({"licence": _OURS} | facts),
        )
        for region in ("background", "reference")
    ]


_network = partial(Method, published=True, lacks=learned.lacks, checksum=learned.checksum, licence="MIT")
_STOCHASTIC = "as its test command runs: BatchNorm statistics of the one image, dropout on (seeded)"
_EVAL = "evaluation mode"
_OTHER_GUIDE = "published weights, the reference's mask in place of the background's (IPH, Appendix)"
_DOVENET = dict(
    citation="Cong et al., DoveNet: Deep Image Harmonization via Domain Verification",
    year=2020,
    venue="CVPR",
    kind="generic",
    looks_at="background",
    weights="dovenet",
    parameters=54_759_939,
)
_BARGAINNET = dict(
    citation="Cong et al., BargainNet: Background-Guided Domain Translation for Image Harmonization",
    year=2021,
    venue="ICME",
    parameters=58_695_700,
)
_RAINNET = dict(
    citation="Ling et al., Region-aware Adaptive Instance Normalization for Image Harmonization",
    year=2021,
    venue="CVPR",
    kind="generic",
    looks_at="background",
    weights="rainnet",
    parameters=54_759_043,
)


def _bargainnet(
    name: str, title: str, guide: Literal["background", "reference"], trained: str, origin: str
) -> list[Method]:
    """BargainNet in both modes."""
    kind = "generic" if guide == "background" else "interactive"
    return [
        _network(
            name=name + suffix,
            title=title + (" (eval)" if suffix else ""),
            kind=kind,
            looks_at=guide,
            build=learned.bargainnet(guide, stochastic=not suffix),
            weights=trained,
            note=f"{origin}; {_EVAL if suffix else _STOCHASTIC}",
            **_BARGAINNET,
        )
        for suffix in ("", "-eval")
    ]


def _retrained(name: str, title: str, facts: dict[str, Any], composited: bool = False) -> Method:
    """A compared network as `python -m bench retrain` trains it."""
    reference = facts["looks_at"] == "reference"
    return Method(
        name=f"{name}-retrained",
        title=f"{title}, retrained",
        licence=_OURS,
        build=learned.retrained(composited, reference),
        lacks=learned.lacks_retrained,
        checksum=lambda method: weights.sha256(learned.retrained_file(method)),
        note="a quarter of the width, trained here at a small size (docs/retrained.md); evaluation mode",
        **facts | {"weights": name, "parameters": None},
    )


_IPH = dict(
    citation="this project, after Valanarasu et al., Interactive Portrait Harmonization",
    year=2026,
    venue="this project",
    kind="interactive",
    looks_at="reference",
    licence=_OURS,
    build=ours.build,
    lacks=ours.lacks,
    checksum=ours.checksum,
)


_ENCODER = "sees by the first eleven blocks of EfficientNet-Lite0 (0.7 M more numbers, ImageNet)"


def _ours(name: str, title: str, trained: str, note: str, **facts: Any) -> Method:
    counted = ours.parameters(trained)
    return Method(name=name, title=title, weights=trained, parameters=counted, note=note, **(_IPH | facts))


def _has_all(method: Method) -> None:
    """Of a method that needs no file of weights."""


_METHODS: list[Method] = [
    Method(
        name="composite",
        title="Direct composite",
        citation="the input, unchanged",
        year=0,
        venue="",
        kind="direct composite",
        looks_at="nothing",
        licence=_OURS,
        build=_always(_composite),
    ),
    *_transfer(
        "reinhard",
        "Reinhard",
        color_transfer.reinhard,
        citation="Reinhard et al., Color Transfer between Images",
        year=2001,
        venue="IEEE Computer Graphics and Applications",
        note="mean and deviation in lαβ",
    ),
    *_transfer(
        "xiao",
        "Correlated transfer",
        color_transfer.correlated,
        citation="Xiao & Ma, Color Transfer in Correlated Color Space",
        year=2006,
        venue="VRCIA",
        note="mean and covariance in RGB",
    ),
    *_transfer(
        "histogram",
        "Histogram matching",
        distributions.histogram,
        citation="van der Walt et al., scikit-image (match_histograms)",
        year=2014,
        venue="PeerJ",
        licence="BSD-3-Clause (scikit-image)",
        note="each RGB channel",
    ),
    *_transfer(
        "idt",
        "IDT",
        distributions.iterative_transfer,
        citation="Pitié et al., Automated Colour Grading Using Colour Distribution Transfer",
        year=2007,
        venue="CVIU",
        note=f"{distributions.ITERATIONS} seeded rotations, without regrain",
    ),
    *_transfer(
        "luminance",
        "Luminance percentiles",
        color_transfer.luminance_percentiles,
        citation="this project, after the luminance points of Valanarasu et al.",
        year=2026,
        venue="this project",
        note="L* percentiles in straight pieces, mean a* and b*",
    ),
    Method(
        name="poisson",
        title="Poisson editing",
        citation="Pérez et al., Poisson Image Editing",
        year=2003,
        venue="SIGGRAPH",
        kind="classical",
        looks_at="background",
        licence="Apache-2.0 (OpenCV)",
        build=_always(poisson),
        note="seamlessClone, normal",
    ),
    _network(name="dovenet", title="DoveNet", build=learned.dovenet(stochastic=True), note=_STOCHASTIC, **_DOVENET),
    _network(
        name="dovenet-eval", title="DoveNet (eval)", build=learned.dovenet(stochastic=False), note=_EVAL, **_DOVENET
    ),
    *_bargainnet("bargainnet", "BargainNet", "background", "bargainnet", "published weights"),
    *_bargainnet("bargainnet-guide", "BargainNet, guided by the reference", "reference", "bargainnet", _OTHER_GUIDE),
    *_bargainnet("bargainnet-r", "BargainNet (R)", "reference", "bargainnet-r", "weights trained by the user"),
    *_bargainnet(
        "bargainnet-r-pp", "BargainNet (R)(++)", "reference", "bargainnet-r-pp", "weights trained by the user"
    ),
    _network(
        name="rainnet",
        title="RainNet",
        build=learned.rainnet(stochastic=False),
        note="as its evaluate.py runs: evaluation mode",
        **_RAINNET,
    ),
    _network(
        name="rainnet-guide",
        title="RainNet, guided by the reference",
        build=learned.rainnet(stochastic=False, guided=True),
        note=f"{_OTHER_GUIDE}; {_EVAL}",
        **_RAINNET | {"kind": "interactive", "looks_at": "reference"},
    ),
    _network(
        name="rainnet-dropout",
        title="RainNet (dropout)",
        build=learned.rainnet(stochastic=True),
        note="as its test.py runs: dropout on (seeded)",
        **_RAINNET,
    ),
    _retrained("dovenet", "DoveNet", _DOVENET),
    _retrained("rainnet", "RainNet", _RAINNET, composited=True),
    _retrained("rainnet-r", "RainNet (R)", _RAINNET | {"kind": "interactive", "looks_at": "reference"}, True),
    _retrained("bargainnet", "BargainNet", _BARGAINNET | {"kind": "generic", "looks_at": "background"}),
    _retrained("bargainnet-r", "BargainNet (R)", _BARGAINNET | {"kind": "interactive", "looks_at": "reference"}),
    _retrained("bargainnet-r-pp", "BargainNet (R)(++)", _BARGAINNET | {"kind": "interactive", "looks_at": "reference"}),
    *(
        _ours(name, f"{title}, small (ours)", name, f"ablation: {note}", **facts)
        for name, title, note, facts in (
            ("h-net", "H-Net", "no style code, the whole composite", {"kind": "generic", "looks_at": "background"}),
            ("h-net-se", "H-Net + SE", "style encoder, no luminance loss", {}),
            ("h-net-se-mid", "H-Net + SE + mid-tone loss", "mid-tone loss alone", {}),
            ("h-net-se-shadow", "H-Net + SE + shadow loss", "shadow loss alone", {}),
            ("h-net-se-highlight", "H-Net + SE + highlight loss", "highlight loss alone", {}),
            ("h-net-se-all", "H-Net + SE + LM loss", "all three luminance losses", {}),
        )
    ),
    _ours("iph", "IPH small (ours)", "small", "shipped weights: paired training"),
    _ours("iph-pp", "IPH small-portrait (ours)", "small-portrait", "shipped weights: with our unpaired stage"),
    Method(
        **_IPH
        | {
            "name": "semantic-match",
            "title": "Semantic match (ours)",
            "build": ours.semantic_match,
            "lacks": _has_all,
            "checksum": _has_all,
            "note": f"closed form, nothing trained for it; {_ENCODER}",
        }
    ),
    _ours("iph-match", "IPH match, general (ours)", "match", f"shipped weights, not pasted; {_ENCODER}"),
    _ours(
        "iph-match-pasted",
        "IPH match, portrait (ours)",
        "match",
        f"the same weights, told that the foreground was pasted; {_ENCODER}",
        build=partial(ours.build, pasted=True),
    ),
]

METHODS: dict[str, Method] = {method.name: method for method in _METHODS}
