package rollout

import (
	"encoding/hex"
	"regexp"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/haproxy"
)

// credentials says what in a configuration should not be read by others: "" if nothing.
func credentials(file string, text []byte) string {
	what, _ := findCredential(file, text)
	return what
}

// findCredential returns what in a configuration should not be read by others, and its line. What
// comes from the environment is no secret of the file's. This errs on the side of asking: a mistake
// costs the option --with-credentials.
func findCredential(file string, text []byte) (what string, number int) {
	named := func(name string) string { return "${" + name + "}" }
	unset := func(string) string { return "" } // then "${NAME-default}" is its default
	for line := range strings.Lines(string(text)) {
		number++
		source := haproxy.Source{File: file, Text: line}
		for _, words := range source.Lines(named) {
			if what := credentialIn(words); what != "" {
				return what, number
			}
		}
		for _, words := range source.Lines(unset) {
			if what := secretOfKeyword(words); what != "" {
				return what, number
			}
		}
	}
	return "", 0
}

// credentialIn returns what in a line is a secret: in the places where HAProxy has one, and where a
// name or a form says so.
func credentialIn(words []string) string {
	for _, secret := range []func([]string) string{secretOfKeyword, secretInHeader, secretInPattern,
		secretInCheck, secretOfConverter, secretOfProgram, secretByName, secretByForm} {
		if what := secret(words); what != "" {
			return what
		}
	}
	return ""
}

// literal returns what of a word the file itself says: without variables, and without expressions
// that HAProxy evaluates for each request.
func literal(word string) string {
	return strings.TrimSpace(expression.ReplaceAllString(variable.ReplaceAllString(word, ""), ""))
}

//nolint:gochecknoglobals // constant
var (
	variable   = regexp.MustCompile(`\$\{[^}]*\}`)
	expression = regexp.MustCompile(`%\[[^\]]*\]|%\{[^}]*\}[A-Za-z]+|env\([^)]*\)`)
)

// after returns the word behind a place, "" if there is none.
func after(words []string, i int) string {
	if i+1 < len(words) {
		return words[i+1]
	}
	return ""
}

// secretOfKeyword knows HAProxy's own keywords whose value is a secret.
func secretOfKeyword(words []string) string {
	for i, word := range words {
		value := literal(after(words, i))
		switch {
		case value == "":
		case words[0] == "user" && i > 0 && (word == "password" || word == "insecure-password"):
			return "a user's password"
		case i == 1 && words[0] == "stats" && word == "auth":
			if _, password, ok := strings.Cut(value, ":"); !ok || password != "" {
				return "the password of the statistics page"
			}
		case word == "ca-sign-pass":
			return "the pass phrase of a key"
		case word == "cluster-secret" && words[0] == word, word == "dynamic-cookie-key":
			return "the key of " + word
		case i == 0 && (word == "setenv" || word == "presetenv") && isSecretName(value) &&
			literal(after(words, 1)) != "":
			return "a secret in the variable " + value
		}
	}
	return ""
}

// isSecretName reports whether what has this name is likely to be a secret.
func isSecretName(name string) bool {
	name = strings.NewReplacer("-", "", "_", "", ".", "").Replace(strings.ToLower(name))
	if strings.HasSuffix(name, "file") || strings.HasSuffix(name, "path") ||
		strings.HasSuffix(name, "realm") {
		return false
	}
	return slices.ContainsFunc([]string{"password", "passwd", "passphrase", "secret", "token", "apikey",
		"credential", "authorization", "accesskey", "privatekey", "signingkey", "hmackey", "authkey",
		"xauth"}, func(part string) bool { return strings.Contains(name, part) }) || name == "pw" ||
		name == "pass" || strings.HasSuffix(name, "pw") && strings.Contains(name, "db")
}

// withoutScheme removes the name of a kind of credentials, which is none itself.
func withoutScheme(value string) string {
	for _, scheme := range []string{"bearer", "basic", "token", "apikey"} {
		if len(value) >= len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
			value = value[len(scheme):]
		}
	}
	return strings.Trim(value, "^$.* ()\\+")
}

// secretInHeader finds the value of a header or of a variable of HAProxy's whose name says that it is
// one.
func secretInHeader(words []string) string {
	for i, word := range words {
		name := after(words, i)
		var value string
		switch {
		case word == "set-header" || word == "add-header" || word == "hdr":
			value = after(words, i+1)
		case word == "replace-header" || word == "replace-value":
			value = after(words, i+2)
		case strings.HasPrefix(word, "set-var-fmt("), strings.HasPrefix(word, "set-var("):
			name = argument(word)
			value = after(words, i)
			if strings.HasPrefix(word, "set-var(") {
				value = constantOf(value)
			}
		default:
			continue
		}
		if isSecretName(name) && withoutScheme(literal(value)) != "" {
			return "a secret in " + name
		}
	}
	return ""
}

// constantOf returns the text in str(text), which a sample expression begins with, "" if it begins
// with another one.
func constantOf(expression string) string {
	if strings.HasPrefix(expression, "str(") {
		return argument(expression)
	}
	return ""
}

// argument returns what is between a word's first parentheses.
func argument(word string) string {
	_, rest, _ := strings.Cut(word, "(")
	inside, _, _ := strings.Cut(rest, ")")
	return inside
}

// secretInPattern finds what a header, cookie or parameter with a secret in it is compared with.
func secretInPattern(words []string) string {
	for i, word := range words {
		open := strings.IndexByte(word, '(')
		named := i == 2 && words[0] == "acl"
		if !named && (i == 0 || !strings.HasSuffix(words[i-1], "{")) {
			continue
		}
		if open < 0 || !isFetchOfClients(word[:open]) || !isSecretName(firstArgument(argument(word))) {
			continue
		}
		for j := i + 1; j < len(words) && words[j] != "}"; j++ {
			switch pattern := words[j]; {
			case pattern == "-f" || pattern == "-m" || pattern == "-M":
				j++
			case strings.HasPrefix(pattern, "-"):
			case withoutScheme(literal(pattern)) != "":
				return "what " + firstArgument(argument(word)) + " has to be"
			}
		}
	}
	return ""
}

// isFetchOfClients reports whether a sample is a text that clients send: req.hdr, cook, urlp …
func isFetchOfClients(fetch string) bool {
	for _, part := range []string{"hdr", "cook", "urlp", "url_param", "http_auth", "var"} {
		if strings.Contains(fetch, part) {
			return true
		}
	}
	return false
}

func firstArgument(arguments string) string {
	first, _, _ := strings.Cut(arguments, ",")
	return strings.Trim(first, `'" `)
}

// secretInCheck finds what a health check sends to be let in, as to Redis.
func secretInCheck(words []string) string {
	if len(words) < 3 || words[0] != "tcp-check" {
		return ""
	}
	i := slices.IndexFunc(words, func(word string) bool { return strings.HasPrefix(word, "send") })
	if i < 0 {
		return ""
	}
	sent := after(words, i)
	if strings.HasPrefix(words[i], "send-binary") {
		raw, err := hex.DecodeString(sent)
		if err != nil {
			return ""
		}
		sent = string(raw)
	}
	fields := strings.Fields(sent)
	if len(fields) < 2 || !strings.EqualFold(fields[0], "auth") && !strings.EqualFold(fields[0], "pass") {
		return ""
	}
	// the backslashes of \r\n are gone when a line is split into words
	if literal(strings.TrimSuffix(strings.TrimRight(fields[len(fields)-1], "\r\n"), "rn")) != "" {
		return "the password of a health check"
	}
	return ""
}

// secretOfConverter finds the key of a signature or of a cipher.
func secretOfConverter(words []string) string {
	for name, at := range map[string]int{"jwt_verify(": 1, "hmac(": 1, "aes_gcm_enc(": 2,
		"aes_gcm_dec(": 2} {
		for i := range words {
			// a key in quotes may hold spaces
			_, rest, ok := strings.Cut(strings.Join(words[i:], " "), name)
			if !ok || !strings.Contains(words[i], name) {
				continue
			}
			inside, _, _ := strings.Cut(rest, ")")
			arguments := strings.Split(inside, ",")
			if len(arguments) > at && isKey(strings.Trim(arguments[at], `'" `)) {
				return "the key of " + strings.TrimSuffix(name, "(")
			}
		}
	}
	return ""
}

// isKey reports whether the argument is a key, and neither a file nor a variable of HAProxy's.
func isKey(argument string) bool {
	if literal(argument) == "" || strings.HasPrefix(argument, "/") {
		return false
	}
	for _, suffix := range []string{".pem", ".crt", ".pub", ".key"} {
		if strings.HasSuffix(argument, suffix) {
			return false
		}
	}
	for _, scope := range []string{"proc.", "sess.", "txn.", "req.", "res.", "check."} {
		if strings.HasPrefix(argument, scope) {
			return false
		}
	}
	return true
}

// secretOfProgram finds a program's option that is a secret: --password x, --token=x.
func secretOfProgram(words []string) string {
	if words[0] != "command" && (len(words) < 2 || words[0] != "external-check") {
		return ""
	}
	all := strings.Fields(strings.Join(words, " ")) // a whole command line may be one word, in quotes
	for i, word := range all {
		name, _, hasValue := strings.Cut(word, "=")
		if hasValue || !strings.HasPrefix(name, "-") || !isSecretName(strings.TrimLeft(name, "-")) {
			continue
		}
		if value := after(all, i); !strings.HasPrefix(value, "-") && literal(value) != "" {
			return "a secret in " + name
		}
	}
	return ""
}

// secretByName finds NAME=VALUE: in an option, a query, a form, the environment of a program.
func secretByName(words []string) string {
	for _, word := range words {
		for part := range strings.FieldsFuncSeq(word, func(r rune) bool {
			return strings.ContainsRune("?&; ,", r)
		}) {
			name, value, ok := strings.Cut(part, "=")
			if ok && isSecretName(strings.TrimLeft(name, "-")) && literal(value) != "" &&
				!strings.HasPrefix(value, "/") {
				return "a secret in " + name
			}
		}
	}
	return ""
}

//nolint:gochecknoglobals // constant
var (
	inURL = regexp.MustCompile(`://[^/@\s:]+:([^/@\s]+)@`)
	known = regexp.MustCompile(`\b(AKIA[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{20,}|glpat-[0-9A-Za-z_-]{16,}|` +
		`do[opr]_v1_[0-9a-f]{16,}|sk_(live|test)_[0-9A-Za-z]{10,}|xox[abprs]-[0-9A-Za-z-]{10,}|` +
		`eyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,})|-----BEGIN [A-Z ]*PRIVATE KEY`)
)

// secretByForm finds what looks like a secret wherever it is: a password in a URL, keys of services
// that mark theirs.
func secretByForm(words []string) string {
	line := strings.Join(words, " ")
	if found := inURL.FindStringSubmatch(line); found != nil && literal(found[1]) != "" {
		return "a password in a URL"
	}
	if known.MatchString(line) {
		return "the key of a service"
	}
	return ""
}
