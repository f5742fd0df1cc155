package adapt

import (
	"cmp"
	"net"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/keepalived/model"
	"github.com/hawser-ha/hawser/param"
)

// noShell is what only a shell understands.
func noShell(word string) bool {
	return slices.Contains([]string{"|", "||", "&&", ";", ">", ">>", "<", "2>&1", "&", "1>/dev/null",
		">/dev/null", "2>/dev/null", "&>/dev/null"}, word)
}

// shellText is what is in a word where only a shell would have taken it.
var shellText = regexp.MustCompile("[`]|\\$\\(|\\$[A-Za-z_{]|;$")

// readScript finds out what a vrrp_script does.
func readScript(v *model.Script, c *model.Config) found {
	words, shell := unwrap(v.Words)
	text := strings.Join(words, " ")
	switch {
	case !plainText(text + strings.Join(v.Words, "")):
		return found{left: "it has characters that the cluster's configuration cannot hold: put " +
			"the command " +
			"into a file, and write that as exec of a check"}
	case hide(" "+text) != " "+text || hide(v.Line.Raw) != v.Line.Raw:
		return found{left: "it has a password or a token in it, which the cluster's configuration " +
			"would " +
			"show to everybody: put the command into a file that only its user can read, and " +
			"write that " +
			"as exec of a check"}
	case strings.HasPrefix(text, "<"):
		shell = true
	}
	plain := strings.Join(withoutShell(words), " ")
	if len(v.Line.Words) > 2 && seesHAProxy(strings.Join(v.Line.Words[1:], " ")) { // and lacks quotes
		return found{haproxy: true}
	}
	operators := slices.ContainsFunc(words, noShell) || shellText.MatchString(text)
	f := found{}
	switch {
	case restarts(text):
		return found{left: "it starts, stops or restarts HAProxy, which the cluster does: leave " +
			"that out"}
	case seesHAProxy(plain):
		f.haproxy = true
	default:
		f.check = cmp.Or(readTCP(plain), readRequest(withoutShell(words)))
		if f.check == nil {
			f = readProgram(v, c, words, shell || operators)
		}
	}
	if operators && !shell {
		f.remark = joined(f.remark, "keepalived 2 runs no shell here: it passed "+
			strconv.Quote(firstOperator(words))+" on as an argument, so the script did not do "+
			"what it says")
	}
	return f
}

// plainText reports whether a text is ASCII without control characters, as the CIB keeps it whole.
func plainText(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

func joined(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(t string) bool { return t == "" }), "; ")
}

func firstOperator(words []string) string {
	for _, word := range words {
		if noShell(word) || shellText.MatchString(word) {
			return word
		}
	}
	return ""
}

// unwrap takes sh -c and timeout N off a command.
func unwrap(words []string) (inner []string, shell bool) {
	for len(words) > 0 {
		switch base := path.Base(words[0]); {
		case (base == "sh" || base == "bash" || base == "dash") && len(words) == 3 && words[1] == "-c":
			split, err := param.SplitWords(words[2])
			if err != nil {
				return words, true
			}
			words, shell = split, true
		case base == "timeout" && len(words) > 2 && !strings.HasPrefix(words[1], "-"):
			words = words[2:]
		case base == "sudo" && len(words) > 1 && !strings.HasPrefix(words[1], "-"):
			words = words[1:]
		default:
			return words, shell
		}
	}
	return words, shell
}

// withoutShell leaves out where the output goes, and what the exit code is turned into.
func withoutShell(words []string) []string {
	var out []string
	for i := 0; i < len(words); i++ {
		switch word := words[i]; {
		case noShell(word) && strings.Contains(word, "/dev/null"), word == "2>&1":
		case (word == ">" || word == "2>" || word == "&>") && i+1 < len(words) && words[i+1] == "/dev/null":
			i++
		case word == "||" && i+2 < len(words) && words[i+1] == "exit" && words[i+2] == "1",
			word == "&&" && i+2 < len(words) && words[i+1] == "exit" && words[i+2] == "0":
			i += 2
		default:
			out = append(out, word)
		}
	}
	return out
}

var (
	restarting = regexp.MustCompile(`\b(systemctl|service|init\.d/haproxy)\b.*\b(re)?(start|load)\b` +
		`|\bhaproxy\b.*\b(restart|start|stop)\b|\b(restart|start|stop)\b.*\bhaproxy\b`)
	watching = []*regexp.Regexp{
		regexp.MustCompile(`^(\S*/)?(killall5?|pkill) (-q )?(-0|-s 0|--signal 0)( -[a-z]+)* (\S*/)?haproxy$`),
		regexp.MustCompile(`^(\S*/)?(pidof|pgrep)( -[a-z]+)* (\S*/)?haproxy$`),
		regexp.MustCompile("^(\\S*/)?kill -0 (`|\\$\\()\\s*(cat |<)\\s*\\S*haproxy\\S*\\.pid\\s*(`|\\))$"),
		regexp.MustCompile(`^(\S*/)?systemctl( -q| --quiet)* (is-active|status)( -q| --quiet)* ` +
			`haproxy(\.service)?$`),
		regexp.MustCompile(`^(\S*/)?(service haproxy status|etc/init\.d/haproxy status)$`),
		regexp.MustCompile(`^(\S*/)?ps -C haproxy( .*)?$`),
		regexp.MustCompile(`^(\S*/)?ps -?[a-z]+ \| (\S*/)?grep (-\S+ )*\S*haproxy\S*( \| .*)?$`),
	}
)

func restarts(text string) bool {
	return strings.Contains(text, "haproxy") && restarting.MatchString(text)
}

// seesHAProxy reports whether a command sees whether HAProxy runs.
func seesHAProxy(text string) bool {
	return slices.ContainsFunc(watching, func(re *regexp.Regexp) bool { return re.MatchString(text) })
}

var (
	devTCP  = regexp.MustCompile(`^(echo |:|true|exec \d?)?\s*[<>]+\s*/dev/tcp/([^/\s]+)/(\d+)$`)
	netcat  = regexp.MustCompile(`^(\S*/)?(nc|ncat|netcat)((?: -[a-z0-9]+| \d+)*) (\S+) (\d+)$`)
	ncFlags = regexp.MustCompile(`^( -[zvn46]+| -[zvn46]*w ?\d+)+$`)
)

// readTCP recognises what tries a connection.
func readTCP(text string) *check {
	host, port := "", ""
	if m := devTCP.FindStringSubmatch(text); m != nil {
		host, port = m[2], m[3]
	} else if m := netcat.FindStringSubmatch(text); m != nil && strings.Contains(m[3], "z") &&
		ncFlags.MatchString(m[3]) {
		host, port = m[4], m[5]
	}
	to, err := param.ParseHostPort(net.JoinHostPort(host, port))
	if host == "" || err != nil {
		return nil
	}
	made := newCheck()
	made.TCP = to
	return made
}

// readRequest recognises a curl or wget of one URL, with options that a check has something for.
func readRequest(words []string) *check {
	if len(words) < 2 {
		return nil
	}
	made := newCheck()
	made.Statuses = param.DefaultStatuses()
	r := request{check: made, verify: true}
	switch path.Base(words[0]) {
	case "curl":
		r.anything = true // without -f every answer is a good one
		if !r.options(words[1:], r.curl) {
			return nil
		}
	case "wget":
		if !r.options(words[1:], r.wget) {
			return nil
		}
	default:
		return nil
	}
	if r.url == "" {
		return nil
	}
	if !strings.Contains(r.url, "://") {
		r.url = "http://" + r.url
	}
	if r.anything {
		made.Statuses, _ = param.ParseStatuses("100-599")
	}
	made.URL = r.url
	made.Verify = r.verify && strings.HasPrefix(r.url, "https://")
	if _, err := param.ParseCheckURL(made.URL); err != nil || strings.Contains(r.url, "$") {
		return nil
	}
	return made
}

// request is what the options of curl or wget say.
type request struct {
	*check
	url              string
	anything, verify bool
}

// options reads all words; false is that there is one that nothing is known about.
func (r *request) options(words []string, one func(option, value string) (takes, ok bool)) bool {
	for i := 0; i < len(words); i++ {
		word := words[i]
		if !strings.HasPrefix(word, "-") || word == "-" {
			if r.url != "" {
				return false
			}
			r.url = word
			continue
		}
		value := ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		if name, with, ok := strings.Cut(word, "="); ok && strings.HasPrefix(word, "--") {
			if takes, ok := one(name, with); !ok || !takes {
				return false
			}
			continue
		}
		if !strings.HasPrefix(word, "--") && len(word) > 2 {
			takes, ok := r.letters(word[1:], value, one)
			if !ok {
				return false
			}
			if takes {
				i++
			}
			continue
		}
		takes, ok := one(word, value)
		if !ok {
			return false
		}
		if takes {
			i++
		}
	}
	return true
}

// letters reads -sSf, -m3 or -sm 3.
func (*request) letters(
	letters, value string, one func(option, value string) (takes, ok bool),
) (took, ok bool) {
	for i := range letters {
		behind := letters[i+1:]
		takes, ok := one("-"+letters[i:i+1], cmp.Or(behind, value))
		if !ok {
			return false, false
		}
		if takes {
			return behind == "", true
		}
	}
	return false, true
}

func (r *request) curl(option, value string) (takes, ok bool) {
	switch option {
	case "-s", "-S", "-L", "-v", "-4", "-6", "-g", "-N", "--silent", "--show-error", "--location",
		"--verbose":
		return false, true
	case "-f", "--fail":
		r.anything = false
		return false, true
	case "-k", "--insecure":
		r.verify = false
		return false, true
	case "-I", "--head":
		r.Method = "HEAD"
		return false, true
	case "-o", "--output":
		return true, true
	case "-m", "--max-time", "--connect-timeout":
		return true, r.seconds(value)
	case "-X", "--request":
		method, err := param.ParseMethod(value)
		r.Method = method
		return true, err == nil
	case "-H", "--header":
		host, isHost := strings.CutPrefix(strings.ToLower(value), "host:")
		host, err := param.ParseHostHeader(strings.TrimSpace(host))
		r.Host = host
		return true, isHost && err == nil
	case "--cacert":
		r.CAFile = value
		return true, path.IsAbs(value)
	}
	return false, false
}

func (r *request) wget(option, value string) (takes, ok bool) {
	switch option {
	case "-q", "--quiet", "-v", "-nv", "--no-verbose":
		return false, true
	case "--spider":
		r.Method = "HEAD"
		return false, true
	case "--no-check-certificate":
		r.verify = false
		return false, true
	case "-O", "--output-document", "-t", "--tries":
		return true, true
	case "-T", "--timeout":
		return true, r.seconds(value)
	}
	return false, false
}

func (r *request) seconds(value string) bool {
	s, err := strconv.ParseFloat(value, 64)
	if err != nil || s < 0.05 || s > 3600 {
		return false
	}
	d := time.Duration(s * float64(time.Second))
	if r.Timeout == 0 || d < r.Timeout {
		r.Timeout = d.Round(time.Millisecond)
	}
	return true
}

// readProgram makes a check that runs what the script runs.
func readProgram(v *model.Script, c *model.Config, words []string, shell bool) found {
	f := found{check: newCheck()}
	program := v.Words
	switch {
	case shell && (len(v.Words) != 3 || v.Words[1] != "-c"):
		program = []string{"/bin/sh", "-c", strings.Join(words, " ")}
		f.remark = "hawser runs no shell either, so exec starts one: check that it does what is meant"
	case !path.IsAbs(program[0]):
		program = append([]string{"/usr/bin/" + path.Base(program[0])}, program[1:]...)
		if strings.HasPrefix(v.Words[0], ".") {
			return found{left: "its path is relative: write the absolute one as exec of a check"}
		}
		f.remark = "exec needs an absolute path, and " + program[0] + " is a guess: check it on " +
			"the nodes"
	}
	f.check.Exec = program
	user, group := v.User, ""
	if user == "" && c.ScriptUser != nil {
		user, group = c.ScriptUser.Word(1), c.ScriptUser.Word(2)
	}
	if _, err := param.ParseUser(user); err != nil {
		user = "nobody"
		f.remark = joined(f.remark, "keepalived ran it as keepalived_script, or as root if there "+
			"is no such "+
			"user: name in user who may do what it does")
	}
	f.check.User = user
	if group != "" && group != user {
		f.remark = joined(f.remark, "the group "+group+" is not taken over: it runs with those "+
			"that "+user+
			" has")
	}
	if strings.Contains(strings.Join(v.Words, " "), "haproxy") {
		f.remark = joined(f.remark, "HAProxy is watched anyway: if the script only looks whether "+
			"it runs, "+
			"remove the check; it must not start, stop or restart HAProxy")
	}
	return f
}
