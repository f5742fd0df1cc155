package machinestest

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hawser-ha/hawser/internal/corosync"
)

// Main runs the tests, or is one of the stand-ins if it was called by such a name.
func Main(m *testing.M, in io.Reader, out, complaints io.Writer) int {
	if code, is := Tool(in, out, complaints); is {
		return code
	}
	return m.Run()
}

// Tool is one of the stand-ins, if the program was called by such a name.
func Tool(in io.Reader, out, complaints io.Writer) (code int, is bool) {
	does := tools()[filepath.Base(os.Args[0])]
	if does == nil || os.Getenv("WORLD") == "" {
		return 0, false
	}
	h := here{os.Getenv("WORLD"), os.Getenv("MACHINE"), in, out, complaints}
	code = does(h, os.Args[1:])
	h.watch()
	return code, true
}

// here is the machine on which a stand-in runs.
type here struct {
	root, name      string
	in              io.Reader
	out, complaints io.Writer
}

// at is another machine.
func (h here) at(name string) here {
	h.name = name
	return h
}

type tool func(h here, args []string) int

// scripts are the stand-ins that are asked so often that a shell has to do, by their names. The
// directory of the machine is $WORLD/$MACHINE.
func scripts() map[string]string {
	return map[string]string{
		"uname": `cat "$WORLD/$MACHINE/hostname" 2>/dev/null || echo "$MACHINE"`,
		"ip":    `echo "2: eth0    inet $(cat "$WORLD/$MACHINE/address")/24"`,
		"pidof": `[ -e "$WORLD/$MACHINE/processes/$1" ]`,
		"systemctl": `[ "$1" = show ] || exec systemctl-changes "$@"
cd "$WORLD/$MACHINE/units" && shift && shift
for u; do
	[ -e "$u.active" ] && active=active || active=inactive
	[ -e "$u.enabled" ] && enabled=enabled || enabled=disabled
	printf 'Id=%s.service\nActiveState=%s\nUnitFileState=%s\n\n' "$u" "$active" "$enabled"
done`,
		"corosync": "", "pacemakerd": "", "corosync-qdevice": "", "hawser": "",
	}
}

// tools are the stand-ins that know something of Corosync.
func tools() map[string]tool {
	return map[string]tool{
		"systemctl-changes": systemctl,
		"corosync-cmapctl":  cmapctl, "corosync-quorumtool": quorumtool, "corosync-cfgtool": cfgtool,
		"corosync-qdevice-tool": qdeviceTool, "corosync-qnetd-tool": qnetdTool,
		"corosync-qnetd-certutil":       script("corosync-qnetd-certutil"),
		"corosync-qdevice-net-certutil": script("corosync-qdevice-net-certutil"),
		"crm_node":                      crmNode,
	}
}

func (h here) printf(format string, args ...any) { fmt.Fprintf(h.out, format, args...) }

func (h here) say(text string) int {
	h.printf("%s\n", text)
	return 0
}

func (h here) complain(format string, args ...any) int {
	fmt.Fprintf(h.complaints, format+"\n", args...)
	return 1
}

func bit(ok bool) int {
	if ok {
		return 0
	}
	return 1
}

func (h here) path(path string) string { return filepath.Join(h.root, h.name, path) }

func (h here) read(path string) string {
	text, err := os.ReadFile(h.path(path))
	if err != nil {
		return ""
	}
	return string(text)
}

func (h here) has(path string) bool {
	_, err := os.Stat(h.path(path))
	return err == nil
}

func (h here) write(path, text string) {
	if err := os.MkdirAll(filepath.Dir(h.path(path)), 0o755); err != nil {
		panic(err)
	}
	if err := os.WriteFile(h.path(path), []byte(text), 0o600); err != nil {
		panic(err)
	}
}

func (h here) remove(path string) { _ = os.Remove(h.path(path)) }

// machines are all that there are.
func (h here) machines() []here {
	var all []here
	dirs, _ := os.ReadDir(h.root)
	for _, d := range dirs {
		if d.IsDir() && d.Name() != "bin" {
			all = append(all, h.at(d.Name()))
		}
	}
	return all
}

// loaded is what its Corosync has in force, nil if none runs.
func (h here) loaded() corosync.Keys {
	if !h.has("/loaded") {
		return nil
	}
	keys, err := corosync.ConfKeys(h.read("/loaded"))
	if err != nil {
		return nil
	}
	return keys
}

// joined are the nodes of its nodelist that run and have it in theirs.
func (h here) joined() map[string]bool {
	all := map[string]bool{}
	for _, m := range h.loaded().Members() {
		other := h.at(m.Label())
		for _, back := range other.loaded().Members() {
			if back.Label() == h.name {
				all[m.ID] = true
			}
		}
	}
	return all
}

// votes are the votes that it counts.
func (h here) votes() (t corosync.Tally, total int, device bool) {
	keys := h.loaded()
	t = keys.Tally()
	joined := h.joined()
	for _, m := range keys.Members() {
		if joined[m.ID] {
			total += t.Each[m.Label()]
		}
	}
	if device = h.connected(); device {
		total += t.Device
	}
	return t, total, device
}

// connected says whether its corosync-qdevice hears from corosync-qnetd.
func (h here) connected() bool {
	return h.loaded()["quorum.device.model"] != "" && h.has("/units/corosync-qdevice.active") &&
		h.at(Host).has("/units/corosync-qnetd.active") && !h.has("/blocked")
}

// watch notes a running node without quorum.
func (h here) watch() {
	for _, m := range h.machines() {
		if m.loaded() == nil {
			continue
		}
		if t, total, _ := m.votes(); total < t.Needed {
			f, err := os.OpenFile(filepath.Join(h.root, "lost"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				panic(err)
			}
			fmt.Fprintf(f, "%s has %d of %d votes after %s %v on %s\n", m.name, total, t.Expected,
				filepath.Base(os.Args[0]), os.Args[1:], h.name)
			_ = f.Close()
		}
	}
}

func systemctl(h here, args []string) int {
	verb, now, units := args[0], false, []string{}
	for _, a := range args[1:] {
		switch {
		case a == "--now":
			now = true
		case !strings.HasPrefix(a, "-"):
			units = append(units, a)
		}
	}
	for _, u := range units {
		enabled := "/units/" + u + ".enabled"
		code := 0
		switch verb {
		case "enable":
			h.write(enabled, "")
			if now {
				code = h.start(u)
			}
		case "disable":
			h.remove(enabled)
			if now {
				h.stop(u)
			}
		case "start", "restart":
			code = h.start(u)
		case "stop":
			h.stop(u)
		}
		if code != 0 {
			return code
		}
	}
	return 0
}

func (h here) start(unit string) int {
	failed := func(why string) int {
		return h.complain("Job for %s.service failed because the control process exited with error code "+
			"(%s).", unit, why)
	}
	switch unit {
	case "corosync":
		text := h.read("/etc/corosync/corosync.conf")
		keys, err := corosync.ConfKeys(text)
		if err != nil || text == "" {
			return failed("no configuration")
		}
		for _, m := range keys.Members() {
			other := h.at(m.Label())
			if v := other.loaded()["totem.config_version"]; other.loaded() != nil &&
				v != keys["totem.config_version"] {
				return failed("received config version is different than my config version")
			}
		}
		h.write("/loaded", text)
	case "pacemaker":
		if h.loaded() == nil {
			return failed("no corosync")
		}
	case "corosync-qdevice":
		if h.loaded()["quorum.device.model"] == "" {
			return failed("can't read quorum.device.model")
		}
		if !h.certified() {
			return failed("can't init nss")
		}
		if h.has("/broken") {
			return failed("broken")
		}
	}
	h.write("/units/"+unit+".active", "")
	return 0
}

func (h here) stop(unit string) {
	h.remove("/units/" + unit + ".active")
	if unit == "corosync" {
		h.remove("/loaded")
	}
}

func cmapctl(h here, args []string) int {
	keys := h.loaded()
	if keys == nil {
		return h.complain("Failed to reach the cmap API. Error CS_ERR_LIBRARY")
	}
	lines := map[string]string{}
	for k, v := range keys {
		kind := "str"
		if k == "totem.config_version" {
			kind = "u64"
		}
		lines[k] = fmt.Sprintf("%s (%s) = %s", k, kind, v)
	}
	joined := h.joined()
	for _, m := range keys.Members() {
		status := "left"
		if joined[m.ID] {
			status = "joined"
		}
		k := "runtime.members." + m.ID + ".status"
		lines[k] = k + " (str) = " + status
		if m.Label() == h.name {
			lines["id"] = "runtime.votequorum.this_node_id (u32) = " + m.ID
		}
	}
	if len(args) == 2 && args[0] == "-g" {
		if line, ok := lines[args[1]]; ok {
			return h.say(line)
		}
		return h.complain("Can't get key %s. Error CS_ERR_NOT_EXIST", args[1])
	}
	for _, k := range slices.Sorted(maps.Keys(lines)) {
		h.say(lines[k])
	}
	return 0
}

func quorumtool(h here, _ []string) int {
	if h.loaded() == nil {
		return h.complain("No CMAP service")
	}
	t, total, device := h.votes()
	quorate, flags := "No", ""
	if total >= t.Needed {
		quorate, flags = "Yes", "Quorate "
	}
	mine := "NR"
	if device {
		flags, mine = flags+"Qdevice ", "A,V,NMW"
	}
	h.printf("Quorate:          %s\n\nVotequorum information\n----------------------\n"+
		"Expected votes:   %d\nHighest expected: %d\nTotal votes:      %d\nQuorum:           %d  \n"+
		"Flags:            %s\n\nMembership information\n----------------------\n"+
		"    Nodeid      Votes    Qdevice Name\n", quorate, t.Expected, t.Expected, total, t.Needed, flags)
	joined := h.joined()
	for _, m := range h.loaded().Members() {
		local := ""
		if m.Label() == h.name {
			local = " (local)"
		}
		if joined[m.ID] {
			h.printf("         %s          %d    %s "+
				"%s%s\n", m.ID, t.Each[m.Label()], mine, m.Label(), local)
		}
	}
	if device {
		h.printf("         0          %d            Qdevice\n", t.Device)
	}
	return bit(quorate == "Yes")
}

// cfgtool has every running Corosync take its file over, if it can be read.
func cfgtool(h here, _ []string) int {
	if h.loaded() == nil {
		return h.complain("No corosync configuration API: error CS_ERR_LIBRARY")
	}
	for _, m := range h.machines() {
		if m.loaded() == nil {
			continue
		}
		text := m.read("/etc/corosync/corosync.conf")
		if _, err := corosync.ConfKeys(text); err != nil || h.has("/refuses") {
			return h.complain("Could not reload configuration. Error 11")
		}
		m.write("/loaded", text)
	}
	return h.say("Reloading corosync.conf...\nDone")
}

func qdeviceTool(h here, _ []string) int {
	if !h.has("/units/corosync-qdevice.active") {
		return h.complain("Can't connect to QDevice socket (is QDevice running?): No such file or directory")
	}
	state := "Connect failed"
	if h.connected() {
		state = "Connected"
	}
	keys := h.loaded()
	algorithm := "Fifty-Fifty split"
	if keys["quorum.device.net.algorithm"] == "lms" {
		algorithm = "LMS"
	}
	h.printf("Qdevice-net information\n----------------------\nCluster name:           %s\n"+
		"QNetd host:             %s:5403\nAlgorithm:              %s\nKAP Tie-breaker:        Enabled\n"+
		"State:                  %s\n", keys["totem.cluster_name"], keys["quorum.device.net.host"], algorithm,
		state)
	return 0
}

func qnetdTool(h here, args []string) int {
	if !h.has("/units/corosync-qnetd.active") {
		return h.complain("Can't connect to QNetd socket (is QNetd running?): No such file or directory")
	}
	if args[0] != "-l" {
		return h.say("QNetd address:\t\t\t*:5403")
	}
	if other := h.read("/clients"); other != "" {
		return h.say(other)
	}
	for _, m := range h.machines() {
		keys := m.loaded()
		if !m.connected() {
			continue
		}
		var ids []string
		self := ""
		for _, n := range keys.Members() {
			ids = append(ids, n.ID)
			if n.Label() == m.name {
				self = n.ID
			}
		}
		h.printf("    Node ID %s:\n        Client address:\t\t::ffff:%s:43210\n"+
			"        Configured node list:\t%s\n", self, m.read("/address"), strings.Join(ids, ", "))
	}
	return 0
}

func crmNode(h here, args []string) int {
	if args[0] == "-l" {
		for _, m := range h.loaded().Members() {
			if h.at(m.Label()).has("/units/pacemaker.active") {
				h.printf("%s %s member\n", m.ID, m.Label())
			}
		}
		return 0
	}
	h.write("/forgotten", args[len(args)-1])
	return 0
}
