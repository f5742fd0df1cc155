package jsonout

import "reflect"

// filled returns a copy of a value in which no list is nil, however deep it is in exported fields,
// pointers and lists: an empty list is [] for whoever reads it, and never null.
func filled(value any) any {
	from := reflect.ValueOf(value)
	to := reflect.New(from.Type()).Elem()
	fill(to, from)
	return to.Interface()
}

func fill(to, from reflect.Value) {
	to.Set(from)
	switch from.Kind() {
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			fill(to.Elem(), from.Elem())
		}
	case reflect.Struct:
		for i := range from.NumField() {
			if from.Type().Field(i).IsExported() {
				fill(to.Field(i), from.Field(i))
			}
		}
	case reflect.Slice:
		to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
		for i := range from.Len() {
			fill(to.Index(i), from.Index(i))
		}
	}
}
