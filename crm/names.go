package crm

// ParamNames lists the names of the parameters that the primitive has under some condition or other;
// all is false if it takes some from elsewhere.
func (o *Primitive) ParamNames() (names []string, all bool) {
	for _, a := range o.Params {
		names = append(names, a.Name)
	}
	all = true
	for _, el := range o.extra {
		if el.Tag != "instance_attributes" {
			continue
		}
		if el.SelectAttr("id-ref") != nil {
			all = false
		}
		for _, nv := range el.SelectElements("nvpair") {
			if nv.SelectAttr("id-ref") != nil {
				all = false
			}
			if name := value(nv, "name"); name != "" {
				names = append(names, name)
			}
		}
	}
	return names, all
}

// NodesNamed lists the nodes that the location names, also in its rules.
func (o *Location) NodesNamed() []string {
	var names []string
	if o.Node != "" {
		names = append(names, o.Node)
	}
	for _, rule := range o.extra {
		for _, e := range rule.FindElements(".//expression") {
			if value(e, "attribute") == "#uname" && value(e, "value") != "" &&
				value(e, "value-source") == "" {
				names = append(names, value(e, "value"))
			}
		}
	}
	return names
}
