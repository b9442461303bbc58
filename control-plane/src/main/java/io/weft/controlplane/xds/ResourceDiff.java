package io.weft.controlplane.xds;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MapEntry;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What differs between two versions of an xDS resource, field by field, as people read it. */
final class ResourceDiff {

    private static final int MAX_LINES = 200;
    private static final int MAX_VALUE = 160;

    private ResourceDiff() {}

    /**
     * Lines that begin with {@code +} (new), {@code -} (gone) or {@code ~} (other), in the order of their paths. Elements of a list go by
     * their names where they have one.
     *
     * @param before null: it is new
     * @param after null: it is gone
     */
    static List<String> lines(Versioned before, Versioned after) {
        Map<String, String> old = flat(before);
        Map<String, String> now = flat(after);
        Map<String, String> lines = new TreeMap<>();
        now.forEach((path, value) -> {
            String other = old.get(path);
            if (other == null) {
                lines.put(path, "+ " + path + ": " + value);
            } else if (!other.equals(value)) {
                lines.put(path, "~ " + path + ": " + other + " → " + value);
            }
        });
        old.forEach((path, value) -> {
            if (!now.containsKey(path)) {
                lines.put(path, "- " + path + ": " + value);
            }
        });
        List<String> all = new ArrayList<>(lines.values());
        if (all.size() <= MAX_LINES) {
            return all;
        }
        List<String> first = new ArrayList<>(all.subList(0, MAX_LINES));
        first.add("… and " + (all.size() - MAX_LINES) + " more");
        return first;
    }

    private static Map<String, String> flat(Versioned resource) {
        Map<String, String> fields = new TreeMap<>();
        if (resource != null) {
            any("", resource.message(), fields);
        }
        return fields;
    }

    private static void message(String path, Message message, Map<String, String> fields) {
        if (message instanceof Any any) {
            any(path, any, fields);
            return;
        }
        if (message.getAllFields().isEmpty() && !path.isEmpty()) {
            fields.put(path, "{}");
        }
        message.getAllFields().forEach((field, value) -> {
            String below = path.isEmpty() ? field.getName() : path + "." + field.getName();
            if (!field.isRepeated()) {
                value(below, field, value, fields);
                return;
            }
            int index = 0;
            for (Object element : (List<?>) value) {
                value(below + "[" + label(field, element, index++) + "]", field, element, fields);
            }
        });
    }

    private static String label(FieldDescriptor field, Object element, int index) {
        if (element instanceof MapEntry<?, ?> entry) {
            return entry.getKey().toString();
        }
        if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
            Message message = (Message) element;
            FieldDescriptor name = message.getDescriptorForType().findFieldByName("name");
            if (name != null && name.getJavaType() == FieldDescriptor.JavaType.STRING && !message.getField(name).equals("")) {
                return (String) message.getField(name);
            }
        }
        return Integer.toString(index);
    }

    private static void value(String path, FieldDescriptor field, Object value, Map<String, String> fields) {
        if (value instanceof MapEntry<?, ?> entry) {
            FieldDescriptor of = field.getMessageType().findFieldByName("value");
            value(path, of, entry.getValue(), fields);
        } else if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
            message(path, (Message) value, fields);
        } else {
            // Two routes of one name are told apart by their order.
            String free = path;
            for (int i = 2; fields.containsKey(free); i++) {
                free = path + "#" + i;
            }
            fields.put(free, text(value));
        }
    }

    private static String text(Object value) {
        if (value instanceof ByteString bytes) {
            return bytes.size() + " bytes, " + Versioned.hash(bytes.toByteArray());
        }
        String text = value instanceof EnumValueDescriptor constant ? constant.getName() : value.toString();
        return text.length() <= MAX_VALUE ? text : text.substring(0, MAX_VALUE - 1) + "…";
    }

    private static void any(String path, Any any, Map<String, String> fields) {
        String type = any.getTypeUrl().substring(any.getTypeUrl().lastIndexOf('/') + 1);
        try {
            message(path, parser(type).parseFrom(any.getValue()), fields);
        } catch (ReflectiveOperationException | InvalidProtocolBufferException | ClassCastException e) {
            // Of a type that is not known here it is seen that it differs, not where.
            fields.put(path.isEmpty() ? type : path, type + " " + Versioned.hash(any.getValue().toByteArray()));
        }
    }

    @SuppressWarnings("unchecked")
    private static Parser<? extends Message> parser(String type) throws ReflectiveOperationException {
        String prefix = type.startsWith("envoy.") ? "io.envoyproxy." : type.startsWith("google.") ? "com." : "com.github.";
        Class<?> message = Class.forName(prefix + type);
        return (Parser<? extends Message>) message.getMethod("parser").invoke(null);
    }
}
