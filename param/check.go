package param

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Check is something that a node must be able to do for an address to prefer it: a request, a
// backend with enough servers, a connection, a program of the operator's, or an interface with a
// carrier. Exactly one of URL, Backend, TCP, Exec and Interface is set.
type Check struct {
	// Name is unique among the checks of a resource, and part of the name of a node attribute.
	Name string

	// URL is requested; it may mention variables of HAProxy's environment, as TCP and Host may.
	URL string
	// Method is GET, HEAD or OPTIONS, Host the Host header if it is not the URL's.
	Method, Host string
	// Statuses are those of a good answer.
	Statuses Statuses
	// Verify has the certificate verified, against the system's authorities or those in CAFile.
	// SNI is the name that is asked for, Host or the URL's host if empty.
	Verify      bool
	SNI, CAFile string

	// Backend is a backend of HAProxy of which MinServers servers must be up; EveryBackend each
	// that has servers.
	Backend    string
	MinServers int

	// TCP is an address, host:port, to which a connection must be possible.
	TCP string

	// Exec is a program and its arguments, run as User without a shell: 0 is good.
	Exec []string
	User string

	// Interface is a network interface that must have a carrier.
	Interface string

	// Every is how often the check is done, Timeout how long it may take, which means nothing to an
	// Interface: the kernel answers at once.
	Every, Timeout time.Duration
	// Rise is how many good results in a row end a failure, Fall how many bad ones begin it.
	Rise, Fall int
}

// EveryBackend stands for every backend that has servers.
const EveryBackend = "*"

// What holds for a check where it says nothing. The timeout is also at most Every.
const (
	DefaultCheckEvery = 2 * time.Second
	DefaultMethod     = http.MethodGet
	DefaultRise       = 2
	DefaultFall       = 3
	// DefaultInterfaceFall is that of an Interface, of which the kernel tells what is so, and who looks
	// at it waits by himself until it no longer blinks.
	DefaultInterfaceFall = 1
	// LongestTimeout is the longest default of Timeout.
	LongestTimeout = 5 * time.Second
)

// Limits of checks.
const (
	// MostChecks is how many checks a resource may have: each is worth a score to the addresses,
	// whose sum must stay below INFINITY.
	MostChecks = 16
	// MostInARow is the most that rise and fall may ask for.
	MostInARow = 100
	// MostServers is the most that min_servers may ask for.
	MostServers = 1 << 20

	// ShortestEvery is the shortest interval of a check.
	ShortestEvery = time.Second
	// LongestEvery is the longest interval of a check.
	LongestEvery = time.Hour
	// ShortestCheckTimeout is the shortest timeout of a check.
	ShortestCheckTimeout = 50 * time.Millisecond
	// LongestCheckTimeout is the longest timeout of a check.
	LongestCheckTimeout = time.Minute
)

var checkName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,60}$`)

// ParseCheckName reads the name of a check.
func ParseCheckName(text string) (string, error) {
	if !checkName.MatchString(text) {
		return "", errors.New("cannot be the name of a check: write letters, digits, dashes and " +
			"underscores, at most 60")
	}
	return text, nil
}

// ParseMethod reads the method of a request that changes nothing on the server.
func ParseMethod(text string) (string, error) {
	return ParseEnum(text, http.MethodGet, http.MethodHead, http.MethodOptions)
}

// ParseHostPort reads an address to connect to, host:port. The host may be a variable of HAProxy's
// environment, $NAME or ${NAME}.
func ParseHostPort(text string) (string, error) {
	host, port, err := net.SplitHostPort(os.Expand(text, func(string) string { return "192.0.2.1" }))
	n, numErr := strconv.ParseUint(port, 10, 16)
	if err != nil || host == "" || numErr != nil || n < 1 ||
		strings.ContainsAny(text, " \t\r\n/") {
		return "", errors.New("is not host:port, such as 192.0.2.1:5432 or [2001:db8::1]:5432")
	}
	return text, nil
}

// ParseHostHeader reads a Host header, or a server's name.
func ParseHostHeader(text string) (string, error) {
	if text == "" || len(text) > 255 || strings.IndexFunc(text, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`/\@?#"<>`, r)
	}) >= 0 {
		return "", errors.New("is not the name of a host, such as www.example.org")
	}
	return text, nil
}

// ParseProgram reads a program by its absolute path, and its arguments, quoted as for a shell.
func ParseProgram(text string) ([]string, error) {
	words, err := SplitWords(text)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 || !filepath.IsAbs(words[0]) {
		return nil, errors.New("does not begin with the absolute path of a program")
	}
	return words, nil
}

// userName is what useradd(8) takes, and what domains add to it.
var userName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.@-]{0,63}\$?$`)

// ParseUser reads the name of a user. Whether there is one is a question about a node.
func ParseUser(text string) (string, error) {
	if !userName.MatchString(text) {
		return "", errors.New("is not the name of a user")
	}
	return text, nil
}

// ParseCheckEvery reads how often a check is done.
func ParseCheckEvery(text string) (time.Duration, error) {
	return within(text, ShortestEvery, LongestEvery)
}

// ParseCheckTime reads how long a check may take.
func ParseCheckTime(text string) (time.Duration, error) {
	return within(text, ShortestCheckTimeout, LongestCheckTimeout)
}

func within(text string, shortest, longest time.Duration) (time.Duration, error) {
	d, err := ParseDuration(text)
	if err == nil && (d < shortest || d > longest) {
		err = fmt.Errorf("is not a time from %s to %s", FormatDuration(shortest),
			FormatDuration(longest))
	}
	return d, err
}

// checkKey is one of the words "key=value" of a check.
type checkKey struct {
	name string
	set  func(c *Check, text string) error
	text func(c *Check) string // "" is not written
	of   func(c *Check) bool   // whether the key means something for the check; nil: always
}

func isURL(c *Check) bool     { return c.URL != "" }
func isBackend(c *Check) bool { return c.Backend != "" }
func isExec(c *Check) bool    { return len(c.Exec) > 0 }

// asks is whether the check waits for an answer.
func asks(c *Check) bool { return c.Interface == "" }

// field makes a checkKey of a field and its parser; what equals without is not written.
func field[T comparable](name string, at func(*Check) *T, parse func(string) (T, error),
	format func(T) string, without T, of func(*Check) bool) checkKey {
	return checkKey{
		name: name,
		set: func(c *Check, text string) (err error) {
			value, err := parse(text)
			if err == nil {
				*at(c) = value
			}
			return err
		},
		text: func(c *Check) string {
			if *at(c) == without {
				return ""
			}
			return format(*at(c))
		},
		of: of,
	}
}

func same(text string) string { return text }

func inRow(text string) (int, error) { return ParseInt(text, 1, MostInARow) }

// checkKeys are the words of a check, in the order in which they are written.
func checkKeys() []checkKey {
	str := func(name string, at func(*Check) *string, parse func(string) (string, error),
		without string, of func(*Check) bool) checkKey {
		return field(name, at, parse, same, without, of)
	}
	return []checkKey{
		str("url", func(c *Check) *string { return &c.URL }, ParseCheckURL, "", nil),
		str("method", func(c *Check) *string { return &c.Method }, ParseMethod, DefaultMethod, isURL),
		str("host", func(c *Check) *string { return &c.Host }, ParseHostHeader, "", isURL),
		{
			name: "status",
			set: func(c *Check, text string) (err error) {
				c.Statuses, err = ParseStatuses(text)
				return err
			},
			text: func(c *Check) string {
				if text := c.Statuses.String(); text != DefaultStatuses().String() {
					return text
				}
				return ""
			},
			of: isURL,
		},
		field("verify", func(c *Check) *bool { return &c.Verify }, ParseBool, strconv.FormatBool,
			false, isURL),
		str("sni", func(c *Check) *string { return &c.SNI }, ParseHostHeader, "", isURL),
		str("ca_file", func(c *Check) *string { return &c.CAFile }, ParsePath, "", isURL),
		str("backend", func(c *Check) *string { return &c.Backend }, ParseBackend, "", nil),
		field("min_servers", func(c *Check) *int { return &c.MinServers },
			func(text string) (int, error) { return ParseInt(text, 1, MostServers) },
			strconv.Itoa, 1, isBackend),
		str("tcp", func(c *Check) *string { return &c.TCP }, ParseHostPort, "", nil),
		{
			name: "exec",
			set: func(c *Check, text string) (err error) {
				c.Exec, err = ParseProgram(text)
				return err
			},
			text: func(c *Check) string { return JoinWords(c.Exec) },
		},
		str("user", func(c *Check) *string { return &c.User }, ParseUser, "", isExec),
		str("interface", func(c *Check) *string { return &c.Interface }, ParseNIC, "", nil),
		field("every", func(c *Check) *time.Duration { return &c.Every }, ParseCheckEvery,
			FormatDuration, DefaultCheckEvery, nil),
		{
			name: "timeout",
			set: func(c *Check, text string) (err error) {
				c.Timeout, err = ParseCheckTime(text)
				return err
			},
			text: func(c *Check) string {
				if c.Timeout == c.DefaultTimeout() {
					return ""
				}
				return FormatDuration(c.Timeout)
			},
			of: asks,
		},
		field("rise", func(c *Check) *int { return &c.Rise }, inRow, strconv.Itoa, DefaultRise, nil),
		{
			name: "fall",
			set: func(c *Check, text string) (err error) {
				c.Fall, err = inRow(text)
				return err
			},
			text: func(c *Check) string {
				if c.Fall == c.DefaultFall() {
					return ""
				}
				return strconv.Itoa(c.Fall)
			},
		},
	}
}

// ParseBackend reads the name of a backend of HAProxy, or EveryBackend.
func ParseBackend(text string) (string, error) {
	// invalid_char() of HAProxy
	if text != EveryBackend && (text == "" || strings.IndexFunc(text, func(r rune) bool {
		return r > '~' || !strings.ContainsRune(".:_-", r) && (r < '0' || r > '9') &&
			(r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) >= 0) {
		return "", errors.New("is not the name of a backend")
	}
	return text, nil
}

// NewCheck returns a check of which nothing is known but what holds by default. What depends on the
// kind is 0 until Complete.
func NewCheck() Check {
	return Check{Method: DefaultMethod, Statuses: DefaultStatuses(), MinServers: 1,
		Every: DefaultCheckEvery, Rise: DefaultRise}
}

// Complete gives the check what depends on its kind, where nobody has said it.
func (c *Check) Complete() {
	if c.Timeout == 0 && asks(c) {
		c.Timeout = c.DefaultTimeout()
	}
	if c.Fall == 0 {
		c.Fall = c.DefaultFall()
	}
}

// URLCheck returns a check by a request.
func URLCheck(name, url string, timeout time.Duration) Check {
	c := NewCheck()
	c.Name, c.URL, c.Timeout = name, url, timeout
	c.Complete()
	return c
}

// ServersCheck returns a check of the servers of every backend that has any.
func ServersCheck(name string, least int) Check {
	c := NewCheck()
	c.Name, c.Backend, c.MinServers = name, EveryBackend, least
	c.Complete()
	return c
}

// DefaultTimeout returns how long the check may take if nobody says it.
func (c *Check) DefaultTimeout() time.Duration { return min(c.Every, LongestTimeout) }

// DefaultFall returns how many bad results in a row begin a failure if nobody says it.
func (c *Check) DefaultFall() int {
	if c.Interface != "" {
		return DefaultInterfaceFall
	}
	return DefaultFall
}

// CheckKinds are what a check may be: it has one of these words.
func CheckKinds() []string { return []string{"url", "backend", "tcp", "exec", "interface"} }

// Kind returns which of CheckKinds the check is, "" if none.
func (c *Check) Kind() string {
	switch {
	case c.URL != "":
		return "url"
	case c.Backend != "":
		return "backend"
	case c.TCP != "":
		return "tcp"
	case len(c.Exec) > 0:
		return "exec"
	case c.Interface != "":
		return "interface"
	}
	return ""
}

// ParseChecks reads the checks of a resource. Each is a name and words key=value, quoted as for a
// shell; a word ";" is between two of them:
//
//	web url=http://${HAWSER_ANCHOR_IP}/healthz every=1s ; db backend=db min_servers=2
func ParseChecks(text string) ([]Check, error) {
	known, err := parseKnownChecks(text)
	if err == nil && len(known.Unknown) > 0 {
		err = known.Unknown[0]
	}
	if err != nil {
		return nil, err
	}
	return known.Checks, nil
}

// KnownChecks are the checks of a resource as an agent takes them that another version of hawser may
// have written.
type KnownChecks struct {
	Checks []Check
	// Unknown says of each of the others which word of it this version does not know.
	Unknown []error
}

// unknownError is about a word key=value of which this version does not know the key.
type unknownError struct{ check, word string }

func (e *unknownError) Error() string {
	return fmt.Sprintf("has the word %q for the check %s, which is not known", e.word, e.check)
}

func parseKnownChecks(text string) (known KnownChecks, err error) {
	words, err := SplitWords(text)
	if err != nil {
		return known, err
	}
	for len(words) > 0 {
		end := slices.Index(words, ";")
		if end < 0 {
			end = len(words)
		}
		if end == 0 {
			words = words[1:]
			continue
		}
		c, err := parseCheck(words[:end])
		words = words[min(end+1, len(words)):]
		if errors.As(err, new(*unknownError)) {
			known.Unknown = append(known.Unknown, err)
			continue
		}
		if err != nil {
			return known, err
		}
		if slices.ContainsFunc(known.Checks, func(other Check) bool { return other.Name == c.Name }) {
			return known, fmt.Errorf("has two checks %s", c.Name)
		}
		known.Checks = append(known.Checks, c)
	}
	if n := len(known.Checks); n > MostChecks {
		return known, fmt.Errorf("has %d checks: at most %d are possible", n, MostChecks)
	}
	return known, nil
}

func parseCheck(words []string) (Check, error) {
	c := NewCheck()
	var err error
	if c.Name, err = ParseCheckName(words[0]); err != nil {
		return c, fmt.Errorf("has the check %q, which %w", words[0], err)
	}
	keys := checkKeys()
	given := map[string]bool{}
	for _, word := range words[1:] {
		name, value, isWord := strings.Cut(word, "=")
		i := slices.IndexFunc(keys, func(k checkKey) bool { return k.name == name })
		switch {
		case i < 0 && isWord:
			return c, &unknownError{c.Name, word}
		case i < 0:
			return c, fmt.Errorf("has the word %q for the check %s, which is not known", word, c.Name)
		case given[name]:
			return c, fmt.Errorf("has %s twice for the check %s", name, c.Name)
		}
		given[name] = true
		if err := keys[i].set(&c, value); err != nil {
			return c, fmt.Errorf("has %q for the check %s, which %w", word, c.Name, err)
		}
	}
	kinds := 0
	for _, kind := range CheckKinds() {
		if given[kind] {
			kinds++
		}
	}
	if kinds != 1 {
		return c, fmt.Errorf("has %d of url, backend, tcp, exec and interface for the check %s: give one",
			kinds, c.Name)
	}
	for _, k := range keys {
		if given[k.name] && k.of != nil && !k.of(&c) {
			return c, fmt.Errorf("has %s for the check %s, which means nothing to %s", k.name,
				c.Name, c.Kind())
		}
	}
	if c.Kind() == "exec" && c.User == "" {
		return c, fmt.Errorf("has no user for the check %s: say as whom the program runs", c.Name)
	}
	c.Complete()
	return c, nil
}

// FormatChecks writes the checks so that ParseChecks reads them back, without what is the default.
func FormatChecks(checks []Check) string {
	var b strings.Builder
	for i := range checks {
		if i > 0 {
			b.WriteString(" ; ")
		}
		b.WriteString(checks[i].Name)
		for _, k := range checkKeys() {
			if text := k.text(&checks[i]); text != "" && (k.of == nil || k.of(&checks[i])) {
				b.WriteString(" " + JoinWords([]string{k.name + "=" + text}))
			}
		}
	}
	return b.String()
}

// Checks binds a list of checks, as ParseChecks reads it, but for those that another version of hawser
// may have written and this one does not know.
func Checks(p *KnownChecks) Value { return bind("string", "", p, parseKnownChecks) }
