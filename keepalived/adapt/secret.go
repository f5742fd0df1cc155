package adapt

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/keepalived/syntax"
)

// hidden stands for what is secret.
const hidden = "***"

// secretWords are what passwords and tokens stand behind.
var secretWords = []*regexp.Regexp{
	regexp.MustCompile(`(?i)\b(auth_pass|password)(\s+)("[^"]*"|'[^']*'|\S+)`),
	regexp.MustCompile(`(?i)\b([a-z0-9_-]*(?:passwd|password|token|secret|api[_-]?key))([=:]\s*)` +
		`("[^"]*"|'[^']*'|[^\s"']+)`),
	regexp.MustCompile(`(?i)(\s--?[a-z0-9_-]*(?:passwd|password|pass|token|secret|key)|\bbearer)(\s+)` +
		`("[^"]*"|'[^']*'|[^\s"']+)`),
	regexp.MustCompile(`(\bmy(?:sql|sqladmin|sqldump|sqlcheck)\b.*?\s-p)()(\S+)`),
	regexp.MustCompile(`(\bredis-cli\b.*?\s-a)(\s+)(\S+)`),
	regexp.MustCompile(`(\s-(?:u|-user|-password|-pass|a)|-p)([= ]\s*)("[^"]*"|'[^']*'|[^\s"']*:[^\s"']+)`),
}

// longWord is a key or a token that nothing announces.
var longWord = regexp.MustCompile(`\b[A-Za-z0-9_-]{32,}\b`)

// hide hides what looks like a password, a token or a key in a text.
func hide(text string) string {
	text = urlUser.ReplaceAllString(text, "://"+hidden+"@")
	for _, re := range secretWords {
		text = re.ReplaceAllString(text, "${1}${2}"+hidden)
	}
	return longWord.ReplaceAllStringFunc(text, func(word string) string {
		if strings.ContainsAny(word, "0123456789") && strings.ContainsAny(strings.ToLower(word),
			"abcdefghijklmnopqrstuvwxyz") {
			return hidden
		}
		return word
	})
}

// urlUser is the user of a URL with a password.
var urlUser = regexp.MustCompile(`://[^\s/@:]*:[^\s/@]+@`)

// secrets are the passwords of all files, which a definition may hold.
func (a *adapter) secrets() []string {
	var all []string
	for _, n := range a.nodes {
		for _, top := range n.Config.Syntax.Statements {
			top.All(func(s *syntax.Statement) {
				if slices.Contains([]string{"auth_pass", "password"}, s.Words[0]) && len(s.Words) > 1 {
					all = append(all, s.Words[1])
				}
			})
		}
	}
	return all
}

// show is a line as it may be shown.
func show(text string, secrets []string) string {
	if bare := strings.TrimSpace(text); strings.HasPrefix(bare, "$") || strings.HasPrefix(bare, "~") {
		for _, secret := range secrets {
			text = strings.ReplaceAll(text, secret, hidden)
		}
	}
	text = hide(text)
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "…"
	}
	return printable(text)
}

// printable has no control characters, which a terminal or YAML would take for something.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff:
			return '\uFFFD'
		}
		return r
	}, text)
}
