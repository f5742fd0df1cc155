package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/doctor"
)

// resourceD is where resource agents are (OCF 1.1, "Filesystem location").
const resourceD = "/usr/lib/ocf/resource.d"

// ourAgents are hawser's agents, each with its other name, which is a link.
var ourAgents = []struct{ standard, alias string }{
	{"hawser/haproxy", "heartbeat/haproxy"},
	{"hawser/floatip", "digitalocean/floatip"},
}

func (n Node) agentCheck() doctor.Check {
	return doctor.Check{
		Name: "agents",
		Short: "hawser's agents missing or not executable, another agent behind " +
			"their other names, versions that are not the command's",
		Worst: doctor.Error,
		Why: "Pacemaker cannot run a resource here whose agent is missing; one of another " +
			"version may not know a parameter",
		Remedy: "apt-get install --reinstall hawser, or make install",
		Run: n.demands(func(ctx context.Context, d inventory.Declared) ([]doctor.Finding, error) {
			var found []doctor.Finding
			var errs []error
			for _, a := range ourAgents {
				used := slices.Contains(d.Agents, standard(a.standard))
				f, err := n.judgeAgent(ctx, a.standard, used)
				found, errs = append(found, f...), append(errs, err)
				found = append(found, n.judgeAlias(a.standard, a.alias,
					slices.Contains(d.Agents, standard(a.alias)))...)
			}
			return found, errors.Join(errs...)
		}),
	}
}

// standard returns an agent's name in Pacemaker, by its path.
func standard(path string) string { return "ocf:" + strings.ReplaceAll(path, "/", ":") }

// reinstall fixes an installation.
var reinstall = []string{
	"apt-get install --reinstall hawser   # or dnf reinstall hawser, or make install",
}

func (n Node) judgeAgent(ctx context.Context, agent string, used bool) ([]doctor.Finding, error) {
	path := n.file(filepath.Join(resourceD, agent))
	info, err := os.Stat(path)
	missing, why := doctor.Warning, "this node cannot take over a resource of this kind"
	if used {
		missing, why = doctor.Error, "the cluster uses "+standard(agent)+
			", and cannot run it on this node"
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []doctor.Finding{
			n.found(missing, standard(agent), path+" is missing", why, reinstall...),
		}, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o100 == 0:
		return []doctor.Finding{
			n.found(missing, standard(agent),
				fmt.Sprintf("%s is not executable (mode %04o)", path, info.Mode().Perm()), why,
				"chmod 0755 "+doctor.Quote(path)),
		}, nil
	}
	other, err := otherVersion(ctx, path, n.Version)
	if err != nil || other == "" {
		return nil, err
	}
	return []doctor.Finding{
		n.found(doctor.Warning, standard(agent), fmt.Sprintf(
			"%s is of version %s, the command of %s", path, other, n.Version),
			misunderstood, reinstall...),
	}, nil
}

// misunderstood is what comes of versions that differ.
const misunderstood = "one may write what the other does not understand"

// otherVersion is an agent's version, "" if it is the command's.
func otherVersion(ctx context.Context, path, command string) (string, error) {
	version, err := agentVersion(ctx, path)
	if version == command {
		version = ""
	}
	return version, err
}

// versionsTime is how long the agents may take to say their versions where that is only for a warning.
const versionsTime = 5 * time.Second

// OtherVersions says that agents in a directory such as /usr/lib/ocf/resource.d are of another version
// than the command, "" if none is. An agent that is missing, or does not say its version, is for the
// doctor to find.
func OtherVersions(ctx context.Context, dir, command string) string {
	ctx, cancel := context.WithTimeout(ctx, versionsTime)
	defer cancel()
	var others []string
	for _, a := range ourAgents {
		path := filepath.Join(dir, a.standard)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		if other, err := otherVersion(ctx, path, command); err == nil && other != "" &&
			!slices.Contains(others, other) {
			others = append(others, other)
		}
	}
	if len(others) == 0 {
		return ""
	}
	return fmt.Sprintf("this hawser is %s, the agents here are %s: %s; `hawser doctor` says more",
		command, strings.Join(others, " and "), misunderstood)
}

// judgeAlias checks the link by which set-ups for the shell agents find ours.
func (n Node) judgeAlias(agent, alias string, used bool) []doctor.Finding {
	path := n.file(filepath.Join(resourceD, alias))
	link := fmt.Sprintf("ln -sfn ../%s %s", agent, path)
	target, err := filepath.EvalSymlinks(path)
	switch {
	case err != nil && used:
		return []doctor.Finding{
			n.found(doctor.Error, standard(alias), path+" is missing",
				"the cluster uses "+standard(alias)+", and cannot run it on this node", link),
		}
	case err != nil:
		return nil // nothing uses it
	}
	want, err := filepath.EvalSymlinks(n.file(filepath.Join(resourceD, agent)))
	if err != nil || target == want {
		return nil // the missing agent itself is reported
	}
	if used {
		return []doctor.Finding{
			n.found(doctor.Warning, standard(alias), path+" is not hawser's agent",
				"the cluster uses "+standard(alias)+
					", which is somebody else's on this node", link),
		}
	}
	return []doctor.Finding{
		n.found(doctor.Note, standard(alias), path+" is not hawser's agent",
			"a resource of that name would be somebody else's; "+standard(agent)+" is hawser's"),
	}
}

func (n Node) fenceAgentCheck() doctor.Check {
	return doctor.Check{
		Name: "fence-agent", Short: "a fence agent that the cluster uses and this node lacks",
		Worst: doctor.Error,
		Why: "this node cannot fence another, and until a failed node is fenced its resources " +
			"are not recovered",
		Remedy: "apt-get install fence-agents, or hawser for fence_droplet",
		Run: n.demands(func(_ context.Context, d inventory.Declared) ([]doctor.Finding, error) {
			var found []doctor.Finding
			for _, agent := range slices.Compact(slices.Sorted(slices.Values(d.Fences))) {
				path, pkg := n.file("/usr/sbin/"+agent), "fence-agents"
				if kind, name, ok := strings.Cut(agent, "/"); ok {
					path = n.file(filepath.Join("/usr/lib/stonith/plugins", kind, name))
					pkg = "cluster-glue"
				} else if !strings.HasPrefix(agent, "fence_") {
					// a plugin of cluster-glue's: stonith:meatware
					path, pkg = n.file("/usr/lib/stonith/plugins/stonith2/"+agent+
						".so"), "cluster-glue"
				}
				if agent == "fence_droplet" {
					pkg = "hawser"
				}
				if agent == "fence_watchdog" {
					continue // Pacemaker's own
				}
				info, err := os.Stat(path)
				switch {
				case errors.Is(err, fs.ErrNotExist):
					found = append(found,
						n.found(doctor.Error, "stonith:"+agent, path+" is missing",
							"this node cannot fence with it", "apt-get install "+pkg))
				case err != nil:
					return found, err
				case info.Mode().Perm()&0o100 == 0 && !strings.HasSuffix(path, ".so"):
					found = append(found,
						n.found(doctor.Error, "stonith:"+agent, path+" is not executable",
							"this node cannot fence with it", "chmod 0755 "+doctor.Quote(path)))
				}
			}
			return found, nil
		}),
	}
}
