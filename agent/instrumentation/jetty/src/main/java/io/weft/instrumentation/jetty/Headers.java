package io.weft.instrumentation.jetty;

import io.weft.dataplane.ResponseHeaders;
import io.weft.instrumentation.EditableHeaders;
import java.util.ArrayList;
import java.util.List;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpFields;

/** Jetty's headers, to be read and changed. */
record Headers(HttpFields.Mutable fields) implements EditableHeaders, ResponseHeaders {

    /** @return null when absent */
    static String joined(HttpFields fields, String name) {
        // Mostly there is none, which the fields find out sooner than whoever asks for them one by one.
        if (fields.getField(name) == null) {
            return null;
        }
        String joined = null;
        for (int i = 0; i < fields.size(); i++) {
            HttpField field = fields.getField(i);
            if (field.is(name)) {
                joined = joined == null ? field.getValue() : joined + ',' + field.getValue();
            }
        }
        return joined;
    }

    static List<String> values(HttpFields fields, String name) {
        List<String> values = new ArrayList<>();
        for (int i = 0; i < fields.size(); i++) {
            HttpField field = fields.getField(i);
            if (field.is(name)) {
                values.add(field.getValue());
            }
        }
        return values;
    }

    @Override
    public String header(String name) {
        return joined(fields, name);
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
