"""Who is best on one data set under one protocol, how surely, and what was measured here or only reported elsewhere."""

import pandas as pd
import streamlit as st

from bench.metrics import METRICS
from bench.report.boards import TABLE_1, scores, submitted_scores
from bench.report.citations import bibtex_of
from bench.report.dashboard_data import available, versus
from bench.report.letters import letters
from bench.report.published import heading as metric_heading
from bench.report.render import render_all
from bench.report.tables import SUBMITTED_NOTE, measured, reported
from demo.dashboard import source, theme
from demo.dashboard.address import choose, choose_many
from demo.dashboard.prepared import PATIENCE, Aggregate, ahead, prepared, waiting
from demo.dashboard.source import Shown
from demo.dashboard.text import code, plain

FORMS = {"CSV": ("csv", "text/csv"), "Markdown": ("md", "text/markdown"), "LaTeX": ("tex", "application/x-tex")}


def page() -> None:
    theme.heading(
        "Leaderboard",
        "Every method on the same pictures. Means come with 95 % intervals over photos; methods that the data cannot "
        "tell apart share a rank.",
    )
    shown = source.choose_board()
    left, right = st.columns(2)
    with left:
        metric = source.choose_metric(shown)
    methods, facts = shown.methods, source.facts_of(shown, shown.place)
    with right:
        rival = choose("Difference to", methods, "versus", title=lambda name: facts.loc[name, "title"])
    standing = _standing(shown, metric)
    difference = _difference(shown, metric, rival, PATIENCE if standing is not None else 0.0)
    table = _table(shown, metric, standing, difference)
    _summary(shown, metric, table)
    if difference is None:
        title = facts.loc[rival, "title"]
        waiting(f"Differences to {plain(title)} are being computed …", (*shown.place, "versus", metric, rival))
    _chart(shown, metric, table)
    _measured(shown, metric, table, rival)
    _submitted(shown, metric)
    _downloads(shown, metric)
    _absent(shown)
    _reported(shown, metric)


def _standing(shown: Shown, metric: str) -> pd.DataFrame | None:
    """Ranks and tests of the metric, None while they are being made; the other metrics follow by themselves."""

    def of(name: str) -> Aggregate:
        return (*shown.place, "standing", name), lambda: scores(shown.board, [name])

    found = prepared(*of(metric))
    ahead(dict(of(name) for name in available(shown.board) if name != metric))
    return found


def _difference(shown: Shown, metric: str, rival: str, patience: float) -> pd.DataFrame | None:
    """Paired differences to ``rival``, None while they are being made; those of the other metrics follow."""
    if len(shown.methods) < 2:
        return pd.DataFrame(columns=["method", "difference", "low", "high", "p"])

    def of(name: str) -> Aggregate:
        return (*shown.place, "versus", name, rival), lambda: versus(shown.board, name, rival)

    found = prepared(*of(metric), patience)
    ahead(dict(of(name) for name in available(shown.board) if name != metric))
    return found


def _table(shown: Shown, metric: str, standing: pd.DataFrame | None, difference: pd.DataFrame | None) -> pd.DataFrame:
    """One row a method, by rank where ranks are known, and then by the mean."""
    overview = source.overview_of(shown, shown.place)
    means = overview.pivot(index="method", columns="metric", values="mean")
    main = overview[overview["metric"] == metric].set_index("method")[["low", "high"]]
    table = source.facts_of(shown, shown.place).join(means).join(main)
    if standing is not None:
        ranks = standing.set_index("method")
        table["wins"], table["beats"] = ranks["wins"], ranks["beats"]
        table["class"] = [
            f"{rank}{'=' if tied else ''}" for rank, tied in zip(ranks["rank"], ranks["tied"], strict=True)
        ]
        by_mean = table[metric].sort_values(ascending=not source.better_is_higher(metric)).index
        table["alike"] = letters(list(by_mean), ranks["beats"])
        table["rank"] = ranks["rank"]
    if difference is not None:
        table = table.join(difference.set_index("method").add_prefix("to_").rename(columns={"to_difference": "to"}))
    upward = not source.better_is_higher(metric)
    if "rank" not in table:
        return table.sort_values(metric, ascending=upward)
    return table.sort_values(["rank", metric], ascending=[True, upward])


def _summary(shown: Shown, metric: str, table: pd.DataFrame) -> None:
    digits, best = source.digits(metric), table.iloc[0]
    title = METRICS[metric].title
    with st.container(horizontal=True):
        st.metric("Images", f"{shown.board.images:,}", border=True)
        st.metric("Photos they come from", f"{shown.board.photos:,}", border=True)
        st.metric("Methods measured", len(table), border=True)
        st.metric(f"Best {title}", f"{best[metric]:.{digits}f}", border=True)
    sentence = (
        f"**{plain(best['title'])}** has the best {title}: {best[metric]:.{digits}f} "
        f"(95 % interval {theme.interval_text(best['low'], best['high'], digits)})."
    )
    if "beats" not in table:
        st.markdown(sentence)
        waiting(f"Ranks of {title} are being computed …", (*shown.place, "standing", metric))
        return
    peers = table[~table.index.isin([best.name, *best["beats"]])]["title"].tolist()
    tail = (
        f" It cannot be told apart from {plain(', '.join(peers))}."
        if peers
        else " It is better than all others beyond doubt."
    )
    st.markdown(sentence + (tail if len(table) > 1 else ""))


def _chart(shown: Shown, metric: str, table: pd.DataFrame) -> None:
    fig = theme.figure(90 + theme.ROW * len(table), metric_heading(metric), legend=True)
    for kind, color in theme.KINDS.items():
        rows = table[table["kind"] == kind]
        if rows.empty:
            continue
        fig.add_scatter(
            x=rows[metric],
            y=rows["title"],
            name=kind,
            mode="markers",
            marker={"size": 10, "color": color, "symbol": [theme.SYMBOLS.get(at, "x") for at in rows["looks_at"]]},
            error_x={
                "type": "data",
                "array": rows["high"] - rows[metric],
                "arrayminus": rows[metric] - rows["low"],
                "thickness": 1.6,
                "width": 4,
            },
            hovertemplate="%{y}: %{x:." + str(source.digits(metric)) + "f}<extra></extra>",
        )
    if "composite" in table.index:
        fig.add_vline(table.loc["composite", metric], line={"dash": "dot", "color": theme.QUIET, "width": 1})
    fig.update_yaxes(categoryorder="array", categoryarray=table["title"][::-1].tolist())
    caption = (
        f"{METRICS[metric].title} of each method, mean over {shown.board.images} images with the 95 % interval over "
        f"{shown.board.photos} photos; {'higher' if source.better_is_higher(metric) else 'lower'} is better. Circles "
        "look at the background, diamonds at the reference, crosses do not say; the dotted line is the composite."
    )
    twin = table[["title", "kind", "looks_at", metric, "low", "high"]]
    theme.chart(fig, caption, shown.file, twin, "leaderboard_chart")


def _measured(shown: Shown, metric: str, table: pd.DataFrame, rival: str) -> None:
    st.subheader("Measured here", anchor=False)
    only = choose_many("Only these methods", list(table.index), "methods", table["title"].get, "All; type to find some")
    found = table.loc[[name for name in table.index if name in only]] if only else table
    digits, rival_title = source.digits(metric), table.loc[rival, "title"]
    others = [name for name in (*TABLE_1, *available(shown.board)) if name in table.columns and name != metric]
    first = [
        "title",
        "class",
        metric,
        "alike",
        "low",
        "high",
        "to",
        "to_low",
        "to_high",
        "to_p",
        "wins",
        "seconds",
        "kind",
        "looks_at",
    ]
    order = list(dict.fromkeys([*first, "venue", "weights", "parameters", *others]))
    number = st.column_config.NumberColumn
    columns = {
        "title": st.column_config.TextColumn("Method", pinned=True, width=195),  # pixels: a phone shows the score too
        "class": st.column_config.TextColumn("Rank", width=55, help="1 + the methods better beyond doubt; = shares it"),
        "alike": st.column_config.TextColumn("Alike", width=60, help="who shares a letter cannot be told apart"),
        "seconds": number("Seconds", help=f"median of one image, {_size(shown)}", format="%.3f"),
        "kind": "Type",
        "looks_at": "Looks at",
        "low": number("low", help="95 % interval over photos", format=f"%.{digits}f"),
        "high": number("high", help="95 % interval over photos", format=f"%.{digits}f"),
        "to": number("Difference", help=f"minus {plain(rival_title)}, paired by image", format=f"%+.{digits}f"),
        "to_low": number("diff. low", format=f"%+.{digits}f"),
        "to_high": number("diff. high", format=f"%+.{digits}f"),
        "to_p": number("p (Holm)", help="sign-flip test over photos, corrected for all methods", format="%.4f"),
        "wins": number("Wins", help="images on which it is best, shared when equal", format="%.1f"),
        "venue": "Venue",
        "weights": st.column_config.TextColumn("Weights", help="first digits of the weights' SHA-256"),
        "parameters": number("Parameters", format="compact"),
    } | {name: number(metric_heading(name), format=f"%.{source.digits(name)}f") for name in others}
    columns[metric] = number(metric_heading(metric), width=85, format=f"%.{digits}f")
    kept = [name for name in order if name in table.columns]
    event = theme.data(
        found[kept],
        hide_index=True,
        column_config=columns,
        key="leaderboard_table",
        height=38 + 35 * max(len(found), 1),
        placeholder="",
        alt="Measured methods, the best first; a click on a column's head sorts by it, one on a row opens its card",
        on_select="rerun",
        selection_mode="single-row",
    )
    st.caption(
        f"All numbers in this table were **measured here** from {code(shown.file)}. Rank, interval, difference "
        f"(to {plain(rival_title)}), p and wins are of {METRICS[metric].title}, {_size(shown)}. {len(found)} of "
        f"{len(table)} methods. A click on a column's head sorts, one on a row opens the method's card."
    )
    for row in event.selection.rows[:1]:
        if row < len(found):
            _card(shown, found.iloc[row])
    theme.notes([f"code: {', '.join(sorted(shown.board.rows['code'].unique()))}", *shown.board.notes])


def _size(shown: Shown) -> str:
    size = shown.board.size
    return "at each picture's own size" if size == "original" else f"at {size}x{size}"


def _card(shown: Shown, row: pd.Series) -> None:
    """All that is known of a method, below the table in which it was clicked."""
    about = shown.board.about(row.name)
    facts = {
        "Authors": ", ".join(about.get("authors") or ()),
        "Citation": about.get("citation"),
        "Venue": row["venue"],
        "Licence": about.get("licence"),
        "Hardware": about.get("hardware"),
        "Note": about.get("note"),
        "Paper": about.get("paper"),
        "Code": about.get("code"),
    }
    with st.container(border=True):
        st.markdown(f"**{plain(row['title'])}**")
        st.markdown("\n".join(f"- {name}: {plain(str(value))}" for name, value in facts.items() if value))
        if entry := bibtex_of(row.name, about):
            st.code(entry, language=None)


def _submitted(shown: Shown, metric: str) -> None:
    """What was sent in as numbers, apart from what was measured: it takes no rank."""
    metrics = list(dict.fromkeys([metric, *(name for name in TABLE_1 if name in available(shown.board))]))
    sent = submitted_scores(shown.board, metrics)
    if sent.empty:
        return
    st.subheader("Submitted, not measured here", anchor=False)
    means = sent.pivot(index="method", columns="metric", values="mean").reindex(columns=metrics)
    ends = sent[sent["metric"] == metric].set_index("method")[["low", "high"]]
    table = means.join(ends).sort_values(metric, ascending=not source.better_is_higher(metric)).reset_index()
    table["method"] = [shown.board.about(name).get("title") or name for name in table["method"]]
    number = st.column_config.NumberColumn
    columns = {"method": st.column_config.TextColumn("Method", pinned=True)}
    columns |= {end: number(end, format=f"%.{source.digits(metric)}f") for end in ("low", "high")}
    columns |= {name: number(metric_heading(name), format=f"%.{source.digits(name)}f") for name in metrics}
    order = ["method", metric, "low", "high", *metrics[1:]]
    theme.data(table[order], hide_index=True, column_config=columns, alt="Submitted methods, the best first")
    theme.notes([SUBMITTED_NOTE])


def _downloads(shown: Shown, metric: str) -> None:
    metrics = [metric, *(name for name in TABLE_1 if name != metric and name in available(shown.board))]

    def write(form: str) -> str:
        tables = [measured(shown.board, metrics), *reported(shown.board, metrics)]
        return render_all(tables, form) + "\n"

    with st.container(horizontal=True):
        for label, (suffix, mime) in FORMS.items():
            st.download_button(
                label,
                lambda label=label: write(label.lower()),
                f"leaderboard-{'-'.join(shown.place[1:])}-{metric}.{suffix}",
                mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"download_{suffix}",
            )


def _absent(shown: Shown) -> None:
    board = shown.board
    rows = [(board.about(m)["title"], f"{count} of {board.images} images only") for m, count in board.partial.items()]
    rows += [(board.about(m)["title"], sentence) for m, sentence in board.absent.items()]
    if rows:
        with st.expander(f"{len(rows)} methods have no complete rows here"):
            st.table(
                pd.DataFrame(rows, columns=["Method", "Why, and what to do"]).map(plain),
                hide_index=True,
                border="horizontal",
            )


def _reported(shown: Shown, metric: str) -> None:
    tables = reported(shown.board, [metric, *TABLE_1])
    if not tables:
        return
    st.subheader("Reported elsewhere, not measured here", anchor=False)
    for table in tables:
        columns = {name: st.column_config.TextColumn(name, alignment="right") for name in table.columns[3:]}
        columns |= {name: name.capitalize() for name in table.columns[:3]} | {"kind": "Type"}
        frame = pd.DataFrame(table.rows, columns=list(table.columns))
        theme.data(frame, hide_index=True, alt=table.title, column_config=columns)
        st.caption(plain(table.title))
        theme.notes(table.notes)


page()
