package manual

import (
	"regexp"
	"strings"
)

// Markdown is a page of documentation as a manual page, followed by the sections. It knows what
// hawser's pages use: headings, paragraphs, lists, tables, blocks of code, comments, and in running
// text code, bold, italics and links. Lines of code stand as they are, from the left margin on, so
// that 80 columns are enough for 80 columns.
func Markdown(h Header, page string, sections ...Section) string {
	m := &markdown{}
	h.write(&m.b)
	for line := range strings.SplitSeq(strings.TrimRight(page, "\n"), "\n") {
		m.line(line)
	}
	m.end()
	for _, s := range sections {
		s.write(&m.b)
	}
	return m.b.String()
}

// markdown is a page that is being written.
type markdown struct {
	b strings.Builder
	// fence ends the block of code that is open, comment says that a comment is.
	fence   string
	comment bool
	// header are the titles of the columns of the table that is open.
	header []string
	// indented says that a block of code that is indented is open, item that a list's item is.
	indented, item bool
	// blank says that the line before was empty, or there was none.
	blank bool
	// lines of running text that are not written yet: bold text may go over several.
	lines []string
}

var (
	fenceLine = regexp.MustCompile("^ *(```+)")
	item      = regexp.MustCompile(`^(-|\d+\.) +(.*)$`)
	rule      = regexp.MustCompile(`^\|[-:| ]+\|$`)
	heading   = regexp.MustCompile(`^(#+) +(.*)$`)
)

func (m *markdown) line(line string) {
	trimmed := strings.TrimSpace(line)
	switch {
	case m.fence != "":
		if trimmed == m.fence {
			m.fence = ""
			m.b.WriteString(".fi\n.in\n")
			m.blank = false
			return
		}
		m.b.WriteString(Escape(line) + "\n")
		return
	case m.comment:
		m.comment = !strings.HasSuffix(trimmed, "-->")
		return
	case strings.HasPrefix(trimmed, "<!--"):
		m.comment = !strings.HasSuffix(trimmed, "-->")
		return
	case trimmed == "":
		m.flush()
		if !m.indented {
			m.end()
		}
		m.blank = true
		return
	}
	m.block(line, trimmed)
	m.blank = false
}

// block writes a line that is neither code nor a comment, nor empty.
func (m *markdown) block(line, trimmed string) {
	code, isCode := strings.CutPrefix(line, "    ")
	if isCode && !m.item && (m.indented || m.blank) {
		if m.blank && m.indented {
			m.b.WriteString("\n")
		}
		if !m.indented {
			m.b.WriteString(".PP\n.in 0\n.nf\n")
			m.indented = true
		}
		m.b.WriteString(Escape(code) + "\n")
		return
	}
	if m.indented {
		m.end()
	}
	if f := fenceLine.FindStringSubmatch(line); f != nil {
		m.flush()
		m.fence = f[1]
		m.b.WriteString(".PP\n.in 0\n.nf\n")
		return
	}
	if h := heading.FindStringSubmatch(line); h != nil {
		m.flush()
		switch len(h[1]) {
		case 1: // the page's own name is in its header
			m.b.WriteString(".SH DESCRIPTION\n")
		case 2:
			m.b.WriteString(".SH " + inline(h[2]) + "\n")
		default:
			m.b.WriteString(".SS " + inline(h[2]) + "\n")
		}
		return
	}
	if strings.HasPrefix(trimmed, "|") {
		m.flush()
		m.row(trimmed)
		return
	}
	if i := item.FindStringSubmatch(line); i != nil {
		mark := i[1]
		if mark == "-" {
			mark = `\(bu`
		}
		m.flush()
		m.b.WriteString(".IP " + mark + " 4\n")
		m.lines, m.item = []string{i[2]}, true
		return
	}
	if m.blank && !m.item {
		m.b.WriteString(".PP\n")
	}
	m.lines = append(m.lines, trimmed)
}

// flush writes the running text.
func (m *markdown) flush() {
	if len(m.lines) > 0 {
		m.raw(inline(strings.Join(m.lines, "\n")))
		m.lines = nil
	}
}

// row writes a row of a table: its first cell, and below it the others with the titles of their
// columns.
func (m *markdown) row(line string) {
	cells := strings.Split(strings.Trim(strings.ReplaceAll(line, `\|`, "\x00"), "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(strings.ReplaceAll(cells[i], "\x00", "|"))
	}
	if m.header == nil {
		m.header = cells
		return
	}
	if rule.MatchString(line) {
		return
	}
	first := inline(strings.ReplaceAll(cells[0], "**", ""))
	if first == "" {
		first = "(the same)"
	}
	m.b.WriteString(".PP\n")
	m.raw(`\fB` + strings.ReplaceAll(first, `\fR`, `\fB`) + `\fR`)
	m.b.WriteString(".RS 4\n")
	written := false
	for i, c := range cells[1:] {
		if c == "" {
			continue
		}
		if written {
			m.b.WriteString(".br\n")
		}
		written = true
		if title := inline(m.title(i + 1)); title != "" {
			m.raw(`\fI` + title + `\fR: ` + inline(c))
		} else {
			m.raw(inline(c))
		}
	}
	m.b.WriteString(".RE\n")
}

func (m *markdown) title(column int) string {
	if column < len(m.header) {
		return m.header[column]
	}
	return ""
}

// end ends what an empty line ends: a table, a list's item, a block of code that is indented.
func (m *markdown) end() {
	m.flush()
	if m.indented {
		m.b.WriteString(".fi\n.in\n")
	}
	m.header, m.indented, m.item = nil, false, false
}

// raw writes text that is escaped already. Roff would take a line that begins with a dot or a quote
// for a request.
func (m *markdown) raw(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + line
		}
		m.b.WriteString(line + "\n")
	}
}

var span = regexp.MustCompile("`([^`]+)`" + `|\*\*([^*]+)\*\*|!?\[([^\]]*)\]\(([^)]*)\)|\*([^* ][^*]*)\*`)

// inline is running text in roff.
func inline(text string) string {
	var b strings.Builder
	at := 0
	for _, s := range span.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(escapeInLine(text[at:s[0]]))
		at = s[1]
		part := func(n int) (string, bool) {
			if s[2*n] < 0 {
				return "", false
			}
			return text[s[2*n]:s[2*n+1]], true
		}
		if code, ok := part(1); ok {
			b.WriteString(`\fB` + escapeInLine(code) + `\fR`)
		} else if bold, ok := part(2); ok {
			b.WriteString(`\fB` + strings.ReplaceAll(inline(bold), `\fR`, `\fB`) + `\fR`)
		} else if link, ok := part(3); ok {
			b.WriteString(inline(link))
			if to, _ := part(4); strings.Contains(to, "://") && !strings.Contains(link, "://") {
				b.WriteString(escapeInLine(" <" + to + ">"))
			}
		} else if italic, ok := part(5); ok {
			b.WriteString(`\fI` + escapeInLine(italic) + `\fR`)
		}
	}
	b.WriteString(escapeInLine(text[at:]))
	return b.String()
}
