package words

import (
	"reflect"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Clean returns a text as one line that does nothing to a terminal: control characters (C0, DEL,
// C1), those that reverse the direction of writing or separate lines, and bytes that are not UTF-8
// become "?", white space becomes a space. What others wrote may hold any of them: an attribute of
// a node, a reason of an agent, the command line of a process.
func Clean(text string) string {
	if plain(text) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			b.WriteByte(' ')
		case harmful(r) || invalid(text[i:], r):
			b.WriteByte('?')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// plain reports whether a text is printable ASCII, as most are.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func invalid(text string, r rune) bool {
	if r != utf8.RuneError {
		return false
	}
	_, size := utf8.DecodeRuneInString(text)
	return size == 1
}

// harmful reports whether a terminal does something else with a character than show it: ECMA-48's
// control functions, Unicode's line and paragraph separators, and its marks, embeddings, overrides
// and isolates of direction (UAX #9, 2.).
func harmful(r rune) bool {
	switch {
	case r < ' ', r >= 0x7f && r <= 0x9f, r == 0x061c, r == 0x200e, r == 0x200f,
		r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return false
}

// ours are the colours of this program's own (ECMA-48, SGR).
var ours = regexp.MustCompile("\x1b\\[(?:0|1|31|32|33)m")

// Printable returns a text of several lines, cleaned but for ends of lines, tabs and, with colours,
// this program's own ones.
func Printable(text string, colours bool) string {
	if plain(strings.ReplaceAll(text, "\n", "")) {
		return text
	}
	var b strings.Builder
	for text != "" {
		end := len(text)
		var keep []int
		if colours {
			keep = ours.FindStringIndex(text)
		}
		if keep != nil {
			end = keep[0]
		}
		for i, r := range text[:end] {
			switch {
			case r == '\n' || r == '\t':
				b.WriteRune(r)
			case harmful(r) || invalid(text[i:end], r):
				b.WriteByte('?')
			default:
				b.WriteRune(r)
			}
		}
		if keep == nil {
			break
		}
		b.WriteString(text[keep[0]:keep[1]])
		text = text[keep[1]:]
	}
	return b.String()
}

// Cleaned returns a copy of a value of which each text is clean, however deep it is in exported
// fields, pointers, slices, arrays and maps. The value itself stays as it is: JSON shows what is.
func Cleaned[T any](value T) T {
	from := reflect.ValueOf(&value).Elem()
	to := reflect.New(from.Type()).Elem()
	cleanInto(to, from)
	return to.Interface().(T)
}

func cleanInto(to, from reflect.Value) {
	to.Set(from)
	switch from.Kind() {
	case reflect.String:
		to.SetString(Clean(from.String()))
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			cleanInto(to.Elem(), from.Elem())
		}
	case reflect.Struct:
		for i := range from.NumField() {
			if from.Type().Field(i).IsExported() {
				cleanInto(to.Field(i), from.Field(i))
			}
		}
	case reflect.Slice:
		if !from.IsNil() {
			to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
		}
		for i := range from.Len() {
			cleanInto(to.Index(i), from.Index(i))
		}
	case reflect.Array:
		for i := range from.Len() {
			cleanInto(to.Index(i), from.Index(i))
		}
	case reflect.Map:
		if from.IsNil() {
			return
		}
		to.Set(reflect.MakeMapWithSize(from.Type(), from.Len()))
		for _, key := range from.MapKeys() {
			k, v := reflect.New(key.Type()).Elem(), reflect.New(from.Type().Elem()).Elem()
			cleanInto(k, key)
			cleanInto(v, from.MapIndex(key))
			to.SetMapIndex(k, v)
		}
	}
}
