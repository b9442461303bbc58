package io.weft.instrumentation.jettyclient;

import io.weft.instrumentation.EditableHeaders;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;

/** Headers of a request or response in the making. */
record JettyHeaders(HttpFields.Mutable fields) implements EditableHeaders {

    /** @return null when absent */
    static String joined(Iterable<HttpField> fields, String name) {
        String joined = null;
        for (HttpField field : fields) {
            if (field.getName().equalsIgnoreCase(name)) {
                joined = joined == null ? value(field) : joined + ',' + value(field);
            }
        }
        return joined;
    }

    static List<String> values(Iterable<HttpField> fields, String name) {
        List<String> values = new ArrayList<>(1);
        for (HttpField field : fields) {
            if (field.getName().equalsIgnoreCase(name)) {
                values.add(value(field));
            }
        }
        return values;
    }

    /** The library has none for an empty one. */
    static String value(HttpField field) {
        return field.getValue() == null ? "" : field.getValue();
    }

    @Override
    public boolean contains(String name) {
        return fields.contains(name);
    }

    @Override
    public void add(String name, String value) {
        fields.add(name, value);
    }

    @Override
    public void set(String name, String value) {
        fields.put(name, value);
    }

    @Override
    public void remove(String name) {
        fields.remove(name);
    }
}
