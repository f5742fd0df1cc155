package adapt

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/keepalived/model"
	"github.com/hawser-ha/hawser/keepalived/syntax"
)

// fate is what becomes of a keyword about which nothing else is said.
type fate struct {
	verdict Verdict
	text    string
}

// What several keywords have in common.
const (
	vrrpOnly  = ""
	noMail    = "hawser sends no mail: Pacemaker's alerts can"
	noScript  = "hawser runs no script when an address moves: Pacemaker's alerts can"
	noLVS     = "LVS: hawser has nothing like it"
	noRouting = "routes and rules that move with an address are not hawser's: a resource of the " +
		"cluster's " +
		"(ocf:heartbeat:Route) can, as one of resources"
)

// longestPassword is how much of a password VRRP takes.
const longestPassword = 8

// fates are those of keywords, in any block.
func fates() map[string]fate {
	all := map[string]fate{
		"state":          {NotNeeded, "how it begins, no more: the priority decides"},
		"auth_pass":      {NotNeeded, ""},
		"authentication": {NotNeeded, "Corosync has a key of its own"},
		"unicast_peer":   {NotNeeded, "Corosync has the nodes' addresses"},
		"advert_int":     {NotNeeded, "Corosync's times: hawser timing"},
		"dont_track_primary": {Remark, "hawser watches the carrier of the interface that has the " +
			"address"},
		"use_vmac": {LeftOut, "no MAC address of its own: hawser announces the address " +
			"by ARP"},
		"use_ipvlan": {LeftOut, "no interface of its own: the address is on the one that " +
			"nic names"},
		"vrf":                 {LeftOut, "hawser knows no VRF"},
		"track_bfd":           {LeftOut, "hawser knows no BFD"},
		"bfd_instance":        {LeftOut, "hawser knows no BFD"},
		"promote_secondaries": {LeftOut, "hawser sets no sysctl"},
		"smtp_alert":          {LeftOut, noMail},
		"SSL":                 {LeftOut, noLVS},
		"virtual_server": {LeftOut, "LVS balances here, instead of HAProxy: hawser has " +
			"nothing like it"},
		"startup_script":  {LeftOut, "hawser runs no script at its start"},
		"shutdown_script": {LeftOut, "hawser runs no script at its end"},
		"static_ipaddress": {LeftOut, "an address that does not move belongs in the node's network " +
			"configuration"},
		"track_file":               {LeftOut, "hawser reads no number from a file"},
		"vrrp_track_file":          {LeftOut, "hawser reads no number from a file"},
		"linkbeat_interfaces":      {NotNeeded, "the kernel tells of a lost carrier"},
		"interface_up_down_delays": {LeftOut, "hawser waits for no carrier"},
		"native_ipv6":              {Converted, ""},
		"preempt":                  {Converted, ""},
		"preempt_delay":            {NotNeeded, ""},
		"script_user":              {Converted, ""},
		"weight":                   {Converted, ""},
		"init_fail":                {NotNeeded, ""},
		"net_namespace": {LeftOut, "Corosync, Pacemaker and HAProxy run in the node's " +
			"own namespace"},
	}
	add := func(f fate, text string) {
		for _, word := range strings.Fields(text) {
			all[word] = f
		}
	}
	add(fate{LeftOut, noRouting}, "virtual_routes virtual_rules static_routes static_rules")
	add(fate{LeftOut, noScript}, `notify notify_master notify_backup notify_fault notify_stop notify_deleted
		notify_master_rx_lower_pri notify_fifo notify_fifo_script vrrp_notify_fifo vrrp_notify_fifo_script
		lvs_notify_fifo lvs_notify_fifo_script`)
	add(fate{LeftOut, noMail}, `smtp_alert_vrrp smtp_alert_checker`)
	add(fate{LeftOut, noLVS}, `virtual_server_group lvs_sync_daemon lvs_sync_daemon_interface lvs_timeouts`)
	add(fate{LeftOut, "hawser speaks no SNMP and no D-Bus"}, `enable_snmp_vrrp enable_snmp_keepalived
		enable_snmp_rfc enable_snmp_rfcv2 enable_snmp_rfcv3 enable_snmp_checker enable_traps enable_dbus`)
	return all
}

// remaining says of each statement about which nothing was said what its keyword becomes; VRRP's own
// matters are not needed.
func (a *adapter) remaining() {
	all := fates()
	for _, n := range a.nodes {
		mail := mails(n.Config.Syntax)
		for _, s := range n.Config.Syntax.Statements {
			a.rest(n.Config, s, "", Converted, all, mail)
		}
	}
}

func (a *adapter) rest(c *model.Config, s *syntax.Statement, above string, inside Verdict,
	all map[string]fate, mail bool) {
	verdict := a.fate(c, s, above, inside, all, mail)
	for _, below := range s.Body {
		a.rest(c, below, s.Words[0], verdict, all, mail)
	}
}

// fate is the verdict of one statement.
func (a *adapter) fate(c *model.Config, s *syntax.Statement, above string, inside Verdict,
	all map[string]fate, mail bool) Verdict {
	word := s.Words[0]
	mailing := slices.Contains([]string{"notification_email", "notification_email_from", "smtp_server",
		"smtp_helo_name", "smtp_connect_timeout"}, word)
	switch {
	case word == "}" && s.Passed != "":
		return inside
	case s.Passed != "" && !a.book.said(c.Node, s):
		a.say(c, s, Remark, "%s", s.Passed)
		return Remark
	case s.Passed != "":
		return Remark
	case strings.HasPrefix(word, "notify") && all[word].verdict != "":
		a.notify(c, s, all[word])
		return LeftOut
	case a.book.said(c.Node, s):
		return a.book[s.Pos].verdict[c.Node]
	case inside == LeftOut:
		a.say(c, s, LeftOut, "")
		return LeftOut
	case mailing && mail:
		a.say(c, s, LeftOut, noMail)
		return LeftOut
	case mailing:
		a.say(c, s, NotNeeded, "nothing asks for mails with smtp_alert: none was sent")
		return NotNeeded
	case word == "auth_pass" && len(s.Word(1)) > longestPassword:
		a.say(c, s, NotNeeded, "keepalived takes its first %d characters", longestPassword)
		return NotNeeded
	case isList(above):
		if inside == Remark { // that is about the list
			inside = Converted
		}
		a.say(c, s, inside, "")
		return inside
	}
	f, ok := all[word]
	switch {
	case ok:
		a.say(c, s, f.verdict, "%s", f.text)
		return f.verdict
	case s.Block && !slices.Contains([]string{"garp_group", "track_group"}, word):
		a.say(c, s, Converted, "")
		return Converted
	case slices.Contains([]string{"interface", "group", "process"}, word) && above != "garp_group":
		a.say(c, s, Converted, "")
		return Converted
	}
	a.say(c, s, NotNeeded, vrrpOnly)
	return NotNeeded
}

// isList reports whether what is in a block are no keywords.
func isList(word string) bool {
	return strings.HasPrefix(word, "track_") || slices.Contains([]string{"unicast_peer", "group",
		"virtual_ipaddress", "virtual_ipaddress_excluded", "notification_email"}, word)
}

// mails reports whether something asks for mails.
func mails(c *syntax.Config) bool {
	found := false
	for _, top := range c.Statements {
		top.All(func(s *syntax.Statement) {
			if strings.HasPrefix(s.Words[0], "smtp_alert") && s.Passed == "" &&
				!slices.Contains([]string{"off", "no", "false"}, s.Word(1)) {
				found = true
			}
		})
	}
	return found
}

// apis are the programs with which scripts move an address through a provider.
var apis = regexp.MustCompile(`(?i)\b(aws|doctl|hcloud|gcloud|az|openstack|ec2|floatip|` +
	`floating[-_]?ip|reserved[-_]?ip|assign[-_]?ip|elastic[-_]?ip|eip)\b|assign-ip|floating|api\.`)

// notify says what a script did that keepalived ran.
func (a *adapter) notify(c *model.Config, s *syntax.Statement, f fate) {
	switch {
	case restarts(s.Raw):
		a.say(c, s, LeftOut, "it starts or stops HAProxy, which runs on every node in hawser: "+
			"leave it out")
	case apis.MatchString(s.Raw):
		a.say(c, s, LeftOut, "if it moves an address through an API, write that address into "+
			"floating_ips, "+
			"with its provider")
	default:
		a.say(c, s, LeftOut, "%s", f.text)
	}
}
