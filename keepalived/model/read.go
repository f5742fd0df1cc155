package model

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/keepalived/syntax"
)

// Of makes the model of what a node's keepalived reads.
func Of(node string, s *syntax.Config) *Config {
	c := &Config{Node: node, Syntax: s}
	for _, at := range s.Statements {
		if at.Passed != "" {
			continue
		}
		switch at.Words[0] {
		case "global_defs":
			c.globals(at)
		case "vrrp_script":
			c.script(at)
		case "vrrp_track_process":
			c.process(at)
		case "track_file", "vrrp_track_file":
			c.Files = append(c.Files, at.Word(1))
		case "vrrp_sync_group":
			c.group(at)
		case "vrrp_instance":
			c.instance(at)
		case "virtual_server", "virtual_server_group":
			c.Servers = append(c.Servers, at)
		}
	}
	c.settle()
	return c
}

func (c *Config) globals(at *syntax.Statement) {
	for _, s := range at.Body {
		if s.Passed != "" {
			continue
		}
		switch s.Words[0] {
		case "script_user":
			if c.needs(s) {
				c.ScriptUser = s
			}
		case "vrrp_strict":
			c.strict = true
		case "vrrp_version":
			if c.needs(s) {
				c.version = c.whole(s, 2, 3, c.version)
			}
		}
	}
}

// needs reports whether a keyword has its value. keepalived ends where one is missing.
func (c *Config) needs(s *syntax.Statement) bool {
	if len(s.Words) < 2 {
		c.refuse(s, "%s has no value", s.Words[0])
		return false
	}
	return true
}

// whole is a number within bounds; where it is none, keepalived takes otherwise and says so.
func (c *Config) whole(s *syntax.Statement, least, most, otherwise int) int {
	n, err := strconv.Atoi(strings.TrimPrefix(s.Word(1), "+"))
	if err != nil || n < least || n > most {
		c.note(s, "%s %s: keepalived takes %d instead, because a number from %d to %d is expected",
			s.Words[0], s.Word(1), otherwise, least, most)
		return otherwise
	}
	return n
}

func (c *Config) script(at *syntax.Statement) {
	v := &Script{Name: at.Word(1), At: at, Interval: 1, Rise: 1, Fall: 1}
	for _, s := range at.Body {
		if s.Passed != "" {
			continue
		}
		word := s.Words[0]
		if word != "init_fail" && !c.needs(s) {
			continue
		}
		switch word {
		case "script":
			v.Line = s
			v.Words = c.command(s)
		case "interval":
			v.Interval = max(1, c.whole(s, 0, 4294, v.Interval))
		case "timeout":
			v.Timeout = max(1, c.whole(s, 0, 4294, v.Timeout))
		case "rise":
			v.Rise = c.whole(s, 1, 1<<31-1, 1)
		case "fall":
			v.Fall = c.whole(s, 1, 1<<31-1, 1)
		case "weight":
			v.Weight = c.whole(s, -253, 253, 0)
			v.Reverse = s.Word(2) == "reverse"
		case "user":
			v.User = s.Word(1)
		case "init_fail":
			v.InitFail = true
		}
	}
	if v.Timeout == 0 {
		v.Timeout = v.Interval
	}
	if len(v.Words) == 0 {
		c.note(at, "it has no script, so keepalived leaves it out")
		return
	}
	c.Scripts = append(c.Scripts, v)
}

// command is what is run: keepalived reads the first word of the line, which is all of it where it
// is quoted, and cuts it into words.
func (c *Config) command(s *syntax.Statement) []string {
	line, ok := syntax.Script(s.Raw)
	if !ok || len(line) < 2 {
		c.note(s, "a quote has no end, so keepalived has no command here")
		return nil
	}
	if len(line) > 2 {
		c.note(s, "without quotes around all of it keepalived runs %q alone, without what follows",
			line[1])
	}
	words, ok := syntax.Script(line[1])
	if !ok {
		c.note(s, "a quote has no end, so keepalived has no command here")
	}
	return words
}

func (c *Config) process(at *syntax.Statement) {
	p := &Process{Name: at.Word(1), At: at, Quorum: 1}
	for _, s := range at.Body {
		if s.Passed != "" {
			continue
		}
		switch s.Words[0] {
		case "process":
			if p.Path == "" && c.needs(s) {
				p.Path, p.Params = s.Words[1], s.Words[2:]
			}
		case "weight":
			if p.Weight == 0 && c.needs(s) {
				p.Weight = c.whole(s, -254, 254, 0)
				p.Reverse = s.Word(2) == "reverse"
			}
		case "quorum":
			p.Quorum = c.whole(s, 1, 65535, p.Quorum)
		case "full_command", "param_match":
			p.Full = true
		}
	}
	if p.Path == "" {
		c.note(at, "it names no process, so keepalived leaves it out")
		return
	}
	c.Processes = append(c.Processes, p)
}

func (c *Config) group(at *syntax.Statement) {
	g := &Group{Name: at.Word(1), At: at}
	for _, s := range at.Body {
		if s.Passed != "" {
			continue
		}
		switch word := s.Words[0]; {
		case word == "group" && g.listed:
			c.passed(s, "keepalived takes the first group of a vrrp_sync_group")
		case word == "group":
			g.names, g.listed = s.Body, true
		case strings.HasPrefix(word, "notify") && word != "notify_priority_changes":
			g.Notifies = c.firstOf(g.Notifies, s)
		case word == "sync_group_tracking_weight" || word == "global_tracking":
			g.Weights = true
		default:
			c.tracks(&g.trackings, s)
		}
	}
	c.Groups = append(c.Groups, g)
}

// passed marks a statement that keepalived takes no notice of.
func (c *Config) passed(s *syntax.Statement, why string) {
	c.note(s, "%s", why)
	s.All(func(s *syntax.Statement) { s.Passed = why })
}

// firstOf adds a notify; of two of the same keyword the first wins.
func (c *Config) firstOf(all []*syntax.Statement, s *syntax.Statement) []*syntax.Statement {
	for _, before := range all {
		if before.Words[0] == s.Words[0] {
			c.passed(s, "keepalived takes the first "+s.Words[0]+", in line "+strconv.Itoa(before.Line))
			return all
		}
	}
	return append(all, s)
}

func (c *Config) instance(at *syntax.Statement) {
	i := &Instance{Name: at.Word(1), At: at, Primary: true, Advert: 1, strict: c.strict}
	state := ""
	for _, s := range at.Body {
		if s.Passed != "" {
			continue
		}
		switch word := s.Words[0]; word {
		case "state":
			state = c.state(s, state)
		case "interface":
			if c.needs(s) {
				i.Interface = s.Words[1]
			}
		case "virtual_router_id":
			if c.needs(s) {
				i.VRID = c.whole(s, 1, 255, i.VRID)
			}
		case "priority":
			if c.needs(s) {
				i.Priority, i.PriorityAt = c.whole(s, 1, Owner, DefaultPriority), s
			}
		case "nopreempt":
			i.NoPreempt, i.PreemptAt = true, s
		case "preempt":
			i.NoPreempt, i.PreemptAt = false, nil
		case "preempt_delay":
			if c.needs(s) {
				c.delay(i, s)
			}
		case "virtual_ipaddress", "virtual_ipaddress_excluded":
			c.addresses(i, s)
		case "unicast_src_ip", "mcast_src_ip":
			c.source(i, s)
		case "unicast_peer":
			for _, peer := range s.Body {
				if ip, err := netip.ParseAddr(peer.Words[0]); err == nil {
					i.Peers = append(i.Peers, ip)
				} else {
					c.note(peer, "%q is no address, so keepalived has no such peer", peer.Words[0])
				}
			}
		case "authentication":
			c.authentication(i, s)
		case "strict_mode":
			i.strict = !slices.Contains([]string{"off", "no", "false"}, s.Word(1))
		case "version":
			if c.needs(s) {
				i.Version = c.whole(s, 2, 3, i.Version)
			}
		case "advert_int":
			if c.needs(s) {
				c.advert(i, s)
			}
		case "native_ipv6":
			i.IPv6, i.family = true, true
		case "dont_track_primary":
			i.Primary = false
		case "use_vmac", "use_ipvlan":
			i.vmac = true
		case "notify", "notify_master", "notify_backup", "notify_fault", "notify_stop",
			"notify_deleted", "notify_master_rx_lower_pri":
			i.Notifies = c.firstOf(i.Notifies, s)
		default:
			c.tracks(i, s)
		}
		c.onlyFirst(s)
	}
	i.Master = state == "MASTER"
	switch {
	case i.Priority == 0 && i.Master:
		i.Priority = Owner
		c.note(at, "without a priority, and with state MASTER, keepalived takes %d", Owner)
	case i.Priority == 0:
		i.Priority = DefaultPriority
	}
	if state == "" {
		i.Master = i.Priority == Owner
	}
	c.Instances = append(c.Instances, i)
}

// longestPassword is how much of a password VRRP takes.
const longestPassword = 8

func (c *Config) authentication(i *Instance, s *syntax.Statement) {
	kind, password := "", ""
	for _, below := range s.Body {
		switch {
		case below.Passed != "" || !c.needs(below):
		case below.Words[0] == "auth_type" && below.Words[1] != "PASS" && below.Words[1] != "AH":
			c.note(below, "keepalived does not know %s, so the nodes do not authenticate themselves",
				below.Words[1])
		case below.Words[0] == "auth_type":
			kind = below.Words[1]
		case below.Words[0] == "auth_pass":
			password = below.Words[1]
		}
	}
	if kind != "" && password != "" {
		i.Auth, i.AuthAt = kind+" "+password[:min(len(password), longestPassword)], s
	}
}

// onlyFirst remarks on several keywords in one line, of which keepalived reads the first.
func (c *Config) onlyFirst(s *syntax.Statement) {
	most := map[string]int{"state": 2, "interface": 2, "virtual_router_id": 2, "priority": 2,
		"advert_int": 2, "nopreempt": 1, "preempt_delay": 2}[s.Words[0]]
	if most > 0 && len(s.Words) > most {
		c.note(s, "keepalived reads one keyword in a line: %q is passed over",
			strings.Join(s.Words[most:], " "))
	}
}

func (c *Config) state(s *syntax.Statement, before string) string {
	if !c.needs(s) {
		return before
	}
	switch word := s.Words[1]; {
	case word == "MASTER":
		return word
	case word == "BACKUP" && before == "MASTER":
		c.note(s, "keepalived stays with the MASTER above")
		return before
	case word != "BACKUP":
		c.note(s, "keepalived does not know the state %s and takes BACKUP", word)
	}
	return "BACKUP"
}

func (c *Config) delay(i *Instance, s *syntax.Statement) {
	d, err := strconv.ParseFloat(s.Words[1], 64)
	if err != nil || d < 0 || d > 1000 {
		c.note(s, "keepalived takes no delay: expected 0 to 1000 seconds")
		i.Delay, i.DelayAt = 0, nil
		return
	}
	i.Delay, i.DelayAt = d, s
}

func (c *Config) advert(i *Instance, s *syntax.Statement) {
	d, err := strconv.ParseFloat(s.Words[1], 64)
	if err != nil || d < 0.01 || d > 255 {
		c.note(s, "keepalived passes over it: expected 0.01 to 255 seconds")
		return
	}
	i.Advert, i.AdvertAt = d, s
}

func (c *Config) source(i *Instance, s *syntax.Statement) {
	if !c.needs(s) {
		return
	}
	ip, err := netip.ParseAddr(s.Words[1])
	if err != nil {
		c.note(s, "%q is no address, so keepalived passes over it", s.Words[1])
		return
	}
	if i.family && i.IPv6 != ip.Is6() {
		c.note(s, "it is of the other family than the instance, so keepalived passes over it")
		return
	}
	i.Source, i.IPv6, i.family = ip, ip.Is6(), true
}
