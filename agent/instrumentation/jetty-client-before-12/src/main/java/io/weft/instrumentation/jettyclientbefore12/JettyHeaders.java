package io.weft.instrumentation.jettyclientbefore12;

import io.weft.instrumentation.EditableHeaders;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.jetty.http.HttpField;

/**
 * Headers in the making.
 *
 * @param fields the library's, of the kind that may be changed
 */
record JettyHeaders(Object fields, Internals internals) implements EditableHeaders {

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

    @SuppressWarnings("unchecked")
    @Override
    public boolean contains(String name) {
        return joined((Iterable<HttpField>) fields, name) != null;
    }

    @Override
    public void add(String name, String value) {
        internals.add(fields, name, value);
    }

    @Override
    public void set(String name, String value) {
        internals.put(fields, name, value);
    }

    @Override
    public void remove(String name) {
        internals.remove(fields, name);
    }
}
