package keepalived

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/keepalived/syntax"
)

// nodeName is what hawser.yaml takes as a node's name. guessedName is what is taken for one in the name of
// a file: my_keepalived.conf is that of no node.
var (
	nodeName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	guessedName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
)

// typed is an example of what to type.
const typed = "such as `hawser import keepalived --node lb-1=FILE --node lb-2=FILE`, with the names that " +
	"the nodes have in the cluster (crm_node -n)"

// whose finds out which node has which file. A file that has lines for certain nodes (@lb-1 …) is that
// of each of them.
func whose(files, named []string, in syntax.Files) (nodes []Node, guessed bool, err error) {
	for _, pair := range named {
		name, file, ok := strings.Cut(pair, "=")
		switch {
		case !ok || name == "" || file == "":
			return nil, false, usage("--node %s: expected NAME=FILE, %s", pair, typed)
		case !nodeName.MatchString(name):
			return nil, false, usage("--node %s: %q cannot be the name of a node: write letters, "+
				"digits, dots, dashes and underscores", pair, name)
		}
		nodes = append(nodes, Node{name, file})
	}
	switch {
	case len(files) == 0 && len(nodes) == 0:
		return nil, false, usage("no file is named: expected the keepalived.conf of each node, "+
			"%s", typed)
	case len(files) == 1 && len(nodes) == 0:
		shared, err := sharing(files[0], in)
		if err != nil || shared != nil {
			return shared, false, err
		}
	}
	for _, file := range files {
		name := guess(file)
		if name == "" {
			return nil, false, usage("whose file is %s? %s", file, "Write NAME=FILE, "+typed)
		}
		guessed = true
		nodes = append(nodes, Node{name, file})
	}
	for i, n := range nodes {
		for _, before := range nodes[:i] {
			if before.Name == n.Name {
				return nil, false, usage("the node %s has two files, %s and %s: expected one file "+
					"for each "+
					"node, %s", n.Name, before.File, n.File, typed)
			}
		}
	}
	return nodes, guessed, nil
}

// sharing are the nodes of a file with lines that begin with @, nil if it has none.
func sharing(file string, in syntax.Files) ([]Node, error) {
	read, err := syntax.Read(file, syntax.Options{Files: in})
	if err != nil {
		return nil, usage("%w", err)
	}
	if !read.Conditional {
		return nil, nil
	}
	var nodes []Node
	for _, id := range read.IDs {
		if !nodeName.MatchString(id) {
			return nil, usage("%s has lines for @%s, which cannot be the name of a node: name the "+
				"nodes, %s",
				file, id, typed)
		}
		nodes = append(nodes, Node{id, file})
	}
	if len(nodes) < 2 {
		return nil, usage("%s has lines for @%s alone: name all nodes whose file it is, %s", file,
			strings.Join(read.IDs, ", "), typed)
	}
	return nodes, nil
}

// roles are names of files that say what a node does, not what it is called.
func roles() []string {
	return []string{"master", "backup", "slave", "primary", "secondary", "active", "standby", "passive",
		"keepalived", "conf", "config", "etc", "sample", "test", "new", "old", "tmp", "files", "templates",
		"vrrp", "main", "default", "root", "home"}
}

// guess is the node's name in the name of its file: lb-1.conf, keepalived.lb-1.conf or
// lb-1/keepalived.conf; "" if it has none.
func guess(file string) string {
	full, err := filepath.Abs(file)
	if err != nil {
		full = file
	}
	base := strings.TrimSuffix(filepath.Base(full), ".conf")
	for _, word := range []string{"keepalived.conf", "keepalived"} {
		base = strings.Trim(strings.TrimPrefix(strings.TrimSuffix(base, word), word), ".-_")
	}
	if base == "" {
		base = filepath.Base(filepath.Dir(full))
	}
	if !guessedName.MatchString(base) || slices.Contains(roles(), strings.ToLower(base)) {
		return ""
	}
	return base
}
