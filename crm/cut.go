package crm

import (
	"bytes"
	"slices"
)

// cutStatus takes the status out of a CIB's text. The status is several times as large as the
// configuration, and grows with every resource on every node, while nothing here reads it: it is
// passed on to Pacemaker's tools as it came. (*CIB).XML puts it back. If it cannot be located for
// certain, the text is returned whole.
func cutStatus(text []byte) (rest, status []byte) {
	begin, end := statusOf(text)
	if end == 0 {
		return text, nil
	}
	return append(bytes.Clone(text[:begin]), text[end:]...), text[begin:end]
}

// withStatus puts a status, if there is one, into the text of a CIB that has none.
func withStatus(text, status []byte) []byte {
	if status == nil {
		return text
	}
	end := bytes.LastIndex(text, []byte("</cib>")) // it is there: a CIB has a <configuration>
	return slices.Concat(text[:end], []byte("  "), status, []byte("\n"), text[end:])
}

// statusOf finds the element <status> in <cib>; 0, 0 if it is not there, or this is not the XML
// that Pacemaker prints.
func statusOf(text []byte) (begin, end int) {
	depth, begin := 0, -1
	for at := 0; ; {
		next := bytes.IndexByte(text[at:], '<')
		if next < 0 {
			return 0, 0
		}
		at += next
		tag, size := markup(text[at:])
		if size == 0 {
			return 0, 0
		}
		from := at
		at += size
		switch {
		case tag == nil: // a comment or the like
			continue
		case tag[0] == '/':
			depth--
			if depth == 1 && begin >= 0 {
				return begin, at
			}
		case depth == 0 && !named(tag, "cib"):
			return 0, 0
		default:
			if depth == 1 && named(tag, "status") {
				begin = from
			}
			if tag[len(tag)-1] != '/' {
				depth++
			} else if depth == 1 && begin >= 0 {
				return begin, at
			}
		}
		if depth <= 0 {
			return 0, 0
		}
	}
}

// markup measures what begins with the first byte, a "<"; for a tag it also returns what is between
// the brackets. The size is 0 if it has no end, or is something that a CIB does not hold, such as a
// DOCTYPE.
func markup(text []byte) (tag []byte, size int) {
	for _, skipped := range []struct{ open, end string }{
		{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"},
	} {
		if bytes.HasPrefix(text, []byte(skipped.open)) {
			if n := bytes.Index(text[len(skipped.open):], []byte(skipped.end)); n >= 0 {
				return nil, len(skipped.open) + n + len(skipped.end)
			}
			return nil, 0
		}
	}
	if len(text) < 3 || text[1] == '!' || text[1] == '>' {
		return nil, 0
	}
	for at := 1; at < len(text); at++ {
		switch text[at] {
		case '>':
			return text[1:at], at + 1
		case '"', '\'': // an attribute's value may hold a ">"
			n := bytes.IndexByte(text[at+1:], text[at])
			if n < 0 {
				return nil, 0
			}
			at += n + 1
		}
	}
	return nil, 0
}

// named says whether the tag belongs to an element with that name.
func named(tag []byte, name string) bool {
	rest, ok := bytes.CutPrefix(tag, []byte(name))
	return ok && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n/"), rest[0]) >= 0)
}
