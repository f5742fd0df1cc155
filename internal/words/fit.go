package words

import (
	"slices"
	"strings"
)

// Fit is the table in at most so many columns. What a row has no room for is wrapped: the last cell
// in its own column if that begins in the left half, everything else below the row, indented by so
// much.
func (t *Table) Fit(columns, indent int) string {
	var b strings.Builder
	widths := t.fitting(columns)
	for _, r := range t.rows {
		line, used := "", 0
		for i, c := range r {
			if widths[i] == 0 {
				continue
			}
			if c != "" && used > 0 && used+2+visible(c) > columns {
				below := indent
				rest := slices.DeleteFunc(slices.Clone(r[i:]), func(c string) bool { return c == "" })
				if start := used + 2; len(rest) == 1 && start <= columns/2 {
					lines := Wrap(c, columns-start)
					line += "  " + lines[0]
					below, rest = start, lines[1:]
				}
				line = strings.TrimRight(line, " ")
				for _, more := range packed(rest, columns-below) {
					line += "\n" + strings.Repeat(" ", below) + more
				}
				break
			}
			pad := max(0, widths[i]-visible(c))
			line += "  " + c + strings.Repeat(" ", pad)
			used += 2 + visible(c) + pad
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// packed puts cells into as few lines as they need.
func packed(cells []string, columns int) []string {
	var lines []string
	for _, c := range cells {
		if last := len(lines) - 1; last >= 0 && visible(lines[last])+2+visible(c) <= columns {
			lines[last] += "  " + c
			continue
		}
		lines = append(lines, Wrap(c, columns)...)
	}
	return lines
}

// fitting are the widths of the columns, of those cells alone that have room in their rows.
func (t *Table) fitting(columns int) []int {
	var widths []int
	for _, r := range t.rows {
		for len(widths) < len(r) {
			widths = append(widths, 0)
		}
		used := 0
		for i, c := range r {
			if c == "" {
				continue
			}
			if used += 2 + visible(c); used > columns {
				widths[i] = max(widths[i], 1) // it is there, and below
				continue
			}
			widths[i] = max(widths[i], visible(c))
		}
	}
	return widths
}
