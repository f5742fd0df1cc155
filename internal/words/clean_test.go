package words

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		"plain & <ASCII>":              "plain & <ASCII>",
		"Grüße, 日本 �":                  "Grüße, 日本 �",
		"a\nb\tc\r\nd":                 "a b c  d",
		"\x1b[2J\x1b]0;owned\a":        "?[2J?]0;owned?",
		"\u009b31m\u0085\x7f":          "?31m??",
		"\x9b31m":                      "?31m",
		"a\u202ecba\u202c\u2066\u2069": "a?cba???",
		"\u200e\u200f\u061c\u2028":     "????",
	} {
		require.Equal(t, want, Clean(text), "%q", text)
	}
}

func TestPrintable(t *testing.T) {
	const text = "  \x1b[31mfailed\x1b[0m  x\n\ty \x1b[2J\x1b[8mé\u202e\x9b"
	require.Equal(t, "  \x1b[31mfailed\x1b[0m  x\n\ty ?[2J?[8mé??", Printable(text, true))
	require.Equal(t, "  ?[31mfailed?[0m  x\n\ty ?[2J?[8mé??", Printable(text, false))
	require.Equal(t, "a\nb\n", Printable("a\nb\n", true))
}

type report struct {
	Name  string
	When  time.Time
	Deep  *report
	Many  []report
	By    map[string]*string
	Two   [2]string
	Any   any
	own   string
	count int
}

func TestCleaned(t *testing.T) {
	bad := "\x1b\n"
	r := &report{Name: bad, When: time.Unix(1, 0), Deep: &report{Name: bad}, Many: []report{{Name: bad}},
		By: map[string]*string{bad: &bad}, Two: [2]string{bad, "x"}, own: "own", count: 3}
	got := Cleaned(r)
	clean := "? "
	require.Equal(t, &report{Name: clean, When: time.Unix(1, 0), Deep: &report{Name: clean},
		Many: []report{{Name: clean}}, By: map[string]*string{clean: &clean},
		Two: [2]string{clean, "x"}, own: "own", count: 3}, got)
	require.Equal(t, bad, r.Deep.Name, "the report itself stays")
	require.Equal(t, bad, r.Many[0].Name)
	require.Nil(t, Cleaned((*report)(nil)))
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b[31m\u202e\xff")
	f.Fuzz(func(t *testing.T, text string) {
		for _, clean := range []string{Clean(text), Printable(text, false)} {
			require.True(t, utf8.ValidString(clean))
			for _, r := range clean {
				require.False(t, harmful(r) && r != '\n' && r != '\t', "%q", clean)
			}
		}
		require.Equal(t, Clean(text), Clean(Clean(text)))
	})
}
