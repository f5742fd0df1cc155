package config

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/hawser-ha/hawser/param"
)

// kind is a kind of value: how it is read into its variable, written to the cluster and described.
type kind struct {
	// words says what is expected: "an absolute path".
	words string
	// numbers also accepts YAML's numbers and truth values, as they are written.
	numbers bool
	// secret keeps a refused text out of messages: it may be the secret itself.
	secret bool

	// set parses a text and stores it. Its error completes the sentence `"text" …`.
	set func(text string) error
	// text returns what the cluster gets, "" if nothing was given.
	text func() string
	// meaning returns the same for two texts that mean the same.
	meaning func(text string) string

	// read reads a value that is not one text.
	read func(d *document, n ast.Node, what string)
	// keys are those of a mapping, or of each mapping in a list.
	keys []key

	schema schema
}

// one is a kind whose value is a single text, kept as parse returns it.
func one(words string, to *string, parse func(string) (string, error)) kind {
	return kind{
		words: words,
		set: func(text string) error {
			parsed, err := parse(text)
			if err == nil {
				*to = parsed
			}
			return err
		},
		text: func() string { return *to },
		meaning: func(text string) string {
			if parsed, err := parse(text); err == nil {
				return parsed
			}
			return text
		},
		schema: schema{"type": "string"},
	}
}

// as turns a parser into one that keeps the text as written.
func as[T any](parse func(string) (T, error)) func(string) (string, error) {
	return func(text string) (string, error) {
		_, err := parse(text)
		return text, err
	}
}

// matching makes a parser from a pattern.
func matching(pattern *regexp.Regexp, refusal string) func(string) (string, error) {
	return func(text string) (string, error) {
		if !pattern.MatchString(text) {
			return "", errors.New(refusal)
		}
		return text, nil
	}
}

func (k kind) with(extra schema) kind {
	k.schema = k.schema.with(extra)
	return k
}

func path(to *string) kind {
	return one("an absolute path", to, param.ParsePath).with(schema{"pattern": "^/"})
}

// secretPath is the path of a file that holds a secret.
func secretPath(to *string) kind {
	k := path(to)
	k.secret = true
	return k
}

// arguments are further arguments for HAProxy.
func arguments(to *string) kind {
	// A pattern can tell where words end only in a text without quotes.
	reserved := `^([^'"\\]*\s)?(` + strings.Join(param.ReservedArguments(), "|") + `)(\s[^'"\\]*)?$`
	k := one("arguments, quoted as for a shell", to, as(param.ParseArguments)).
		with(schema{"not": schema{"pattern": reserved}})
	k.meaning = func(text string) string {
		words, _ := param.SplitWords(text)
		return strings.Join(words, "\x00")
	}
	return k
}

const longest = 24 * time.Hour

func parseLength(text string) (string, error) {
	length, err := param.ParseDuration(text)
	switch {
	case err != nil:
		return "", err
	case length < time.Millisecond || length > longest:
		return "", errors.New("is not a time from 1ms to 24h")
	case strings.Trim(text, "0123456789") == "":
		return text + "s", nil
	}
	return text, nil
}

// length is a length of time. It keeps the text, because that is what Pacemaker shows later; a bare
// number is in seconds.
func length(to *string) kind {
	k := one("a length of time such as 500ms, 15s or 2min", to, parseLength)
	k.numbers = true
	k.meaning = func(text string) string {
		if length, err := param.ParseDuration(text); err == nil {
			return length.String()
		}
		return text
	}
	k.schema = schema{"type": []string{"string", "integer"}, "pattern": lengths("0*[1-9][0-9]*"),
		"minimum": 1, "maximum": int(longest / time.Second)}
	return k
}

// lengths is the pattern of a length of time whose digits match the given pattern.
func lengths(digits string) string {
	units := strings.Trim(anyCase("us", "usec", "ms", "msec", "s", "sec", "m", "min", "h", "hr"),
		"^$")
	return `^\s*` + digits + `\s*` + units + `?\s*$`
}

// lengthOrNone is a length of time that may be 0, which is kept as "".
func lengthOrNone(to *string) kind {
	k := length(to)
	set := k.set
	k.set = func(text string) error {
		if length, err := param.ParseDuration(text); err == nil && length == 0 {
			*to = ""
			return nil
		}
		return set(text)
	}
	k.words += ", or 0"
	k.schema["pattern"], k.schema["minimum"] = lengths("[0-9]+"), 0
	return k
}

// wholeSeconds is a length of time whose reader expects a number of seconds.
func wholeSeconds(to *time.Duration) kind {
	var text string
	k := length(&text)
	k.words = "a length of time in whole seconds, such as 5s"
	k.set = func(text string) error {
		length, err := param.ParseDuration(text)
		switch {
		case err != nil:
			return err
		case length%time.Second != 0:
			return errors.New("is not a time in whole seconds")
		case length < time.Second || length > longest:
			return errors.New("is not a time from 1s to 24h")
		}
		*to = length
		return nil
	}
	k.text = func() string { return param.FormatDuration(*to) }
	return k
}

// secondsOrNone is wholeSeconds of what need not be given.
func secondsOrNone(to *time.Duration) kind {
	k := wholeSeconds(to)
	k.text = func() string {
		if *to == 0 {
			return ""
		}
		return param.FormatDuration(*to)
	}
	return k
}

// onOff is a truth value, in YAML's words and Pacemaker's.
func onOff(to *string) kind {
	k := one("on or off", to, func(text string) (string, error) {
		on, err := param.ParseBool(text)
		if err != nil {
			return "", errors.New("is neither on nor off")
		}
		return strconv.FormatBool(on), nil
	})
	k.numbers = true
	k.schema = schema{"anyOf": []schema{
		{"type": "boolean"},
		{"enum": []int{0, 1}},
		{
			"type":    "string",
			"pattern": anyCase("on", "off", "yes", "no", "true", "false", "y", "n", "0", "1"),
		},
	}}
	return k
}

func onOffWord(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// anyCase is a pattern of words in upper or lower case. JSON Schema's patterns have no flags.
func anyCase(words ...string) string {
	var b strings.Builder
	for _, r := range strings.Join(words, "|") {
		upper := strings.ToUpper(string(r))
		if upper == string(r) {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, "[%c%s]", r, upper)
	}
	return "^(" + b.String() + ")$"
}

// whole is a whole number; 0 is one that was not given.
func whole(to *int, low, high int) kind {
	words := fmt.Sprintf("a whole number from %d to %d", low, high)
	return kind{
		words: words,
		set: func(text string) error {
			n, err := param.ParseInt(text, low, high)
			if err == nil {
				*to = n
			}
			return err
		},
		text: func() string {
			if *to == 0 {
				return ""
			}
			return strconv.Itoa(*to)
		},
		meaning: func(text string) string {
			if n, err := strconv.Atoi(text); err == nil {
				return strconv.Itoa(n)
			}
			return text
		},
		read: func(d *document, n ast.Node, what string) {
			if number, ok := d.number(n, what, words, low, high); ok {
				*to = number
			}
		},
		schema: schema{"type": "integer", "minimum": low, "maximum": high},
	}
}

// hostAddress is an address of a node.
func hostAddress(to *string) kind {
	return one("an IPv4 or IPv6 address", to, func(text string) (string, error) {
		ip, err := param.ParseAddr(text)
		return ip.String(), err
	}).with(addressSchema())
}

// floatingAddress is an address that clients reach.
func floatingAddress(to *netip.Addr) kind {
	parse := func(text string) (netip.Addr, error) {
		ip, err := param.ParseHostAddr(text)
		switch prefix, prefixErr := netip.ParsePrefix(text); {
		case err != nil && prefixErr == nil:
			return ip, fmt.Errorf("has the length of its prefix: write the address alone "+
				"(the length goes into cidr_netmask: %d)", prefix.Bits())
		case err != nil:
			return ip, err
		case ip.IsLinkLocalUnicast():
			return ip, errors.New("is an address that no client can reach")
		}
		return ip, nil
	}
	return kind{
		words: "one IPv4 or IPv6 address such as 203.0.113.10",
		set: func(text string) error {
			ip, err := parse(text)
			if err == nil {
				*to = ip
			}
			return err
		},
		text: func() string {
			if !to.IsValid() {
				return ""
			}
			return to.String()
		},
		meaning: func(text string) string {
			if ip, err := parse(text); err == nil {
				return ip.String()
			}
			return text
		},
		schema: schema{"type": "string"}.with(addressSchema()),
	}
}

func addressSchema() schema {
	return schema{"anyOf": []schema{{"format": "ipv4"}, {"format": "ipv6"}}}
}

func nic(to *string) kind {
	return one("the name of a network interface, such as eth0", to, param.ParseNIC).
		with(schema{
			"pattern":   `^[^/:\s]+$`,
			"maxLength": 15,
			"not":       schema{"enum": []string{".", ".."}},
		})
}

func choice(to *string, choices ...string) kind {
	return one(strings.Join(choices, " or "), to, func(text string) (string, error) {
		return param.ParseEnum(text, choices...)
	}).with(schema{"enum": choices})
}

// checkURL is a URL that may mention variables of HAProxy's environment.
func checkURL(to *string) kind {
	return one("an http:// or https:// address", to, param.ParseCheckURL).
		with(schema{"pattern": `^[hH][tT][tT][pP][sS]?://[^/?#@\s]+([/?#]\S*)?$`})
}

// origin is where a service is.
func origin(to *string) kind {
	return one("scheme, host and port, such as https://api.example.com:8443",
		to, param.ParseOrigin).with(schema{"pattern": `^[hH][tT][tT][pP][sS]?://[^/?#@\s]+/?$`})
}

// safeOrigin is where a service is that is sent a token.
func safeOrigin(to *string) kind {
	return one("https, host and port, such as https://api.example.com:8443",
		to, param.ParseSafeOrigin).with(schema{"pattern": `^([hH][tT][tT][pP][sS]://[^/?#@\s]+|` +
		`[hH][tT][tT][pP]://(localhost|127\.[0-9.]+|\[::1\])(:[0-9]*)?)/?$`})
}

func service(to *string) kind {
	return one("the whole name of a systemd service, such as haproxy.service, or none",
		to, as(param.ParseService)).with(schema{"pattern": `^(none|[^/\s]+\.service)$`})
}

var idPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._-]{0,199}$`)

// id is the id of an object of the cluster, an xml:id.
func id(to *string) kind {
	return one("a letter or _, then letters, digits, dots, dashes and underscores", to,
		matching(idPattern, "cannot be the id of an object of the cluster: write a letter or _, "+
			"then letters, digits, dots, dashes and underscores")).
		with(schema{"pattern": idPattern.String()})
}

// mapping is a section of keys.
func mapping(keys ...key) kind {
	return kind{
		words: "a mapping",
		keys:  keys,
		read: func(d *document, n ast.Node, what string) {
			d.section(n, what, keys)
		},
		schema: section(keys),
	}
}
