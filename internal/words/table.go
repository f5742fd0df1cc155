package words

import (
	"strings"
	"unicode/utf8"
)

// Table aligns columns, whatever colours their cells have.
type Table struct{ rows [][]string }

// Row adds a row. A cell is one line: what ends lines in it becomes a space.
func (t *Table) Row(cells ...string) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(c)
	}
	t.rows = append(t.rows, row)
}

// String is the table, each row indented by two columns. A column that is empty everywhere is left
// out.
func (t *Table) String() string {
	var b strings.Builder
	var widths []int
	for _, r := range t.rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], visible(c))
		}
	}
	for _, r := range t.rows {
		line := "  "
		for i, c := range r {
			if widths[i] > 0 {
				line += c + strings.Repeat(" ", widths[i]-visible(c)+2)
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// visible is the width of a text without its colours.
func visible(text string) int {
	width := 0
	for text != "" {
		before, rest, found := strings.Cut(text, "\x1b[")
		width += utf8.RuneCountInString(before)
		if !found {
			break
		}
		_, text, _ = strings.Cut(rest, "m")
	}
	return width
}
