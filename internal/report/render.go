package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// number is a value as people read it: three significant digits, thousands separated.
func number(v float64) string {
	abs := math.Abs(v)
	switch {
	case v == math.Trunc(v) || abs >= 100:
		return thousands(strconv.FormatFloat(math.Round(v), 'f', 0, 64))
	case abs >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case abs >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func thousands(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

func (f Figure) amount() string {
	if f.Unit == "" {
		return number(f.Value)
	}
	return number(f.Value) + " " + f.Unit
}

// String is the figure with what goes with it.
func (f Figure) String() string {
	var more []string
	if f.Detail != "" {
		more = append(more, f.Detail)
	}
	for _, m := range f.More {
		more = append(more, m.amount()+" "+m.Name)
	}
	if len(more) == 0 {
		return f.amount()
	}
	return f.amount() + " (" + strings.Join(more, "; ") + ")"
}

func (r Row) ratios() []string {
	var out []string
	for _, t := range r.Theirs {
		if q, ok := ratio(r.Ours, t); ok {
			out = append(out, number(q))
		} else {
			out = append(out, "–")
		}
	}
	return out
}

// verdict lists every goal and whether it was reached.
func (r Row) verdict(missed string) []string {
	var out []string
	for _, g := range r.Goals {
		text := "at most " + (Figure{Value: g.AtMost, Unit: r.Ours.Unit}).amount()
		if g.Ratio {
			text = "ratio at most " + number(g.AtMost)
			if g.Than != "" {
				text += " of " + g.Than
			}
		}
		if r.held(g) {
			text += ": reached"
		} else {
			text += ": " + missed
		}
		out = append(out, text)
	}
	return out
}

// ordered returns the rows by section, and within a section in the order of their recording.
func (k *Kept) ordered() (names []string, rows map[string][]Row) {
	rows = map[string][]Row{}
	for _, r := range k.Rows {
		rows[r.Section] = append(rows[r.Section], r)
	}
	known := sections()
	for _, s := range known {
		if len(rows[s]) > 0 {
			names = append(names, s)
		}
	}
	for _, r := range k.Rows {
		if !slices.Contains(names, r.Section) {
			names = append(names, r.Section)
		}
	}
	return names, rows
}

// missed returns the rows that miss a goal.
func (k *Kept) missed() []Row {
	var out []Row
	for _, r := range k.Rows {
		if !r.Reached() {
			out = append(out, r)
		}
	}
	return out
}

// Text writes the table for a terminal.
func (k *Kept) Text(w io.Writer) error {
	var b strings.Builder
	names, rows := k.ordered()
	for _, s := range names {
		fmt.Fprintf(&b, "\n%s\n%s\n", s, strings.Repeat("=", len(s)))
		writeText(&b, rows[s])
	}
	if missed := k.missed(); len(missed) > 0 {
		fmt.Fprintf(&b, "\nMISSED GOALS: %d of %d rows\n", len(missed), len(k.Rows))
		for _, r := range missed {
			fmt.Fprintf(&b, "  %s: %s: %s: %s\n", r.Section, r.What, r.Ours.amount(),
				strings.Join(r.verdict("MISSED"), ", "))
		}
	} else if len(k.Rows) > 0 {
		fmt.Fprintf(&b, "\nEvery goal was reached (%d rows).\n", len(k.Rows))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeText(b *strings.Builder, rows []Row) {
	for _, r := range rows {
		fmt.Fprintf(b, "%s\n", r.What)
		fmt.Fprintf(b, "    %-38s %s\n", r.Ours.Name, r.Ours)
		ratios := r.ratios()
		for i, t := range r.Theirs {
			fmt.Fprintf(b, "    %-38s %s   ratio %s\n", t.Name, t, ratios[i])
		}
		for _, v := range r.verdict("MISSED") {
			fmt.Fprintf(b, "    goal: %s\n", v)
		}
		if r.Note != "" {
			fmt.Fprintf(b, "    %s\n", r.Note)
		}
	}
}

// Markdown writes docs/benchmarks.md.
func (k *Kept) Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Benchmarks\n\n")
	b.WriteString(
		"`make bench` measures hawser next to its peers in one laboratory and writes this page; " +
			"`make bench BENCH='^BenchmarkStatus$'` only a part of\n" +
			"it, the other rows stay. A ratio is ours to theirs: below 1 is better. What is " +
			"unfavourable is here too.\n")
	names, rows := k.ordered()
	if missed := k.missed(); len(missed) > 0 {
		b.WriteString("\n**Goals missed:**\n\n")
		for _, r := range missed {
			fmt.Fprintf(&b, "- %s: %s: **%s**; %s\n", r.Section, cell(r.What),
				cell(r.Ours.amount()), cell(strings.Join(r.verdict("**missed**"), ", ")))
		}
	}
	label := k.labels()
	for _, s := range names {
		fmt.Fprintf(&b, "\n## %s\n\n", s)
		b.WriteString("| what | ours | theirs | ratio | goal |\n|---|---|---|---|---|\n")
		var notes, commands []string
		for _, r := range rows[s] {
			fmt.Fprintf(&b, "| %s | %s: **%s** | %s | %s | %s |\n", cell(r.What), cell(r.Ours.Name),
				cell(r.Ours.String()), cell(strings.Join(named(r.Theirs), "\n")),
				cell(strings.Join(r.ratios(), "\n")),
				cell(strings.Join(r.verdict("**missed**"), "\n")))
			if r.Note != "" {
				notes = append(notes, fmt.Sprintf("- %s: %s\n", r.What, r.Note))
			}
			line := fmt.Sprintf("`%s`, %s, commit %s", r.Command, r.Date.Format("2006-01-02"),
				r.Commit)
			if len(k.Machines) > 1 {
				line += ", machine " + label[r.Machine]
			}
			if !slices.Contains(commands, line) {
				commands = append(commands, line)
			}
		}
		if len(notes) > 0 {
			b.WriteString("\n" + strings.Join(notes, ""))
		}
		for _, p := range k.Plots {
			if p.Section == s {
				fmt.Fprintf(&b, "\n![%s](%s)\n", cell(p.Caption), p.File)
			}
		}
		b.WriteString("\nMade by:\n\n")
		for _, c := range commands {
			b.WriteString("- " + c + "\n")
		}
	}
	k.machines(&b, label)
	_, err := io.WriteString(w, b.String())
	return err
}

func named(figures []Figure) []string {
	var out []string
	for _, f := range figures {
		out = append(out, f.Name+": "+f.String())
	}
	return out
}

// cell makes a text fit into a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", "<br>").Replace(text)
}

// labels names the machines A, B, … as they come.
func (k *Kept) labels() map[string]string {
	label := map[string]string{}
	for i, m := range k.Machines {
		label[m.ID] = string(rune('A' + i%26))
	}
	return label
}

func (k *Kept) machines(b *strings.Builder, label map[string]string) {
	for _, m := range k.Machines {
		b.WriteString("\n## The machine")
		if len(k.Machines) > 1 {
			b.WriteString(" " + label[m.ID])
		}
		b.WriteString("\n\n| | |\n|---|---|\n")
		for _, fact := range [][2]string{
			{"CPU", fmt.Sprintf("%s, %d cores", m.CPU, m.Cores)}, {"memory", m.Memory},
			{"kernel", m.Kernel}, {"system", m.System}, {"Go", m.Go},
		} {
			fmt.Fprintf(b, "| %s | %s |\n", fact[0], cell(fact[1]))
		}
		for _, v := range m.Versions {
			fmt.Fprintf(b, "| %s | %s |\n", v.Package, cell(v.Version))
		}
	}
}
