package io.weft.policy.xds;

import com.fasterxml.jackson.core.JsonGenerator;
import com.google.protobuf.ByteString;
import com.google.protobuf.Internal;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.weft.policy.proto.envoy.config.rbac.v3.Policy;
import io.weft.policy.proto.envoy.extensions.common.matching.v3.ExtensionWithMatcher;
import io.weft.policy.proto.protobuf.Any;
import io.weft.policy.proto.protobuf.BoolValue;
import io.weft.policy.proto.protobuf.BytesValue;
import io.weft.policy.proto.protobuf.DoubleValue;
import io.weft.policy.proto.protobuf.Duration;
import io.weft.policy.proto.protobuf.FloatValue;
import io.weft.policy.proto.protobuf.Int32Value;
import io.weft.policy.proto.protobuf.Int64Value;
import io.weft.policy.proto.protobuf.ListValue;
import io.weft.policy.proto.protobuf.StringValue;
import io.weft.policy.proto.protobuf.Struct;
import io.weft.policy.proto.protobuf.Timestamp;
import io.weft.policy.proto.protobuf.UInt32Value;
import io.weft.policy.proto.protobuf.UInt64Value;
import io.weft.policy.proto.protobuf.Value;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Generated messages as Protobuf's JSON, with the fields' own names. They are lite, so without descriptors: what fields there are is read
 * from the classes, whose constants and accessors Protobuf promises to keep. What is packed and of a type that is not known here has its
 * type only. For one thread, and for somebody who looks: it is slow.
 */
final class MessageJson {
    private static final String PROTOS = "io.weft.policy.proto.";
    private static final String GOOGLE = "google.";
    private static final String NUMBER = "_FIELD_NUMBER";

    /** Kept as bytes here, and messages to everybody else. */
    private static final Map<Class<?>, Set<String>> UNREADABLE = Map.of(
            Policy.class, Set.of("condition", "checked_condition"), ExtensionWithMatcher.class, Set.of("matcher"));
    private static final Set<Class<?>> WITH_VALUE = Set.of(
            Any.class, Duration.class, Timestamp.class, Struct.class, Value.class, ListValue.class, BoolValue.class, BytesValue.class,
            DoubleValue.class, FloatValue.class, Int32Value.class, Int64Value.class, StringValue.class, UInt32Value.class, UInt64Value.class);

    private final JsonGenerator json;
    private final Map<Class<?>, List<Accessors>> known = new HashMap<>();

    MessageJson(JsonGenerator json) {
        this.json = json;
    }

    /**
     * Of one field.
     *
     * @param has null: it is there if it is not its default
     * @param number of an enum, for a value that has no name here; null: it is none
     */
    private record Accessors(String name, int order, Method get, Method has, Method number) {

        /** Null: it is not there. */
        Object of(MessageLite message) throws ReflectiveOperationException {
            if (has != null && !((Boolean) has.invoke(message))) {
                return null;
            }
            Object value = get.invoke(message);
            if (number != null && value instanceof Enum<?> unnamed && unnamed.name().equals("UNRECOGNIZED")) {
                return number.invoke(message);
            }
            return has != null || !isDefault(value) ? value : null;
        }

        private static boolean isDefault(Object value) {
            if (value instanceof List<?> list) {
                return list.isEmpty();
            }
            if (value instanceof Map<?, ?> map) {
                return map.isEmpty();
            }
            if (value instanceof ByteString bytes) {
                return bytes.isEmpty();
            }
            if (value instanceof Internal.EnumLite constant) {
                return constant.getNumber() == 0;
            }
            return value.equals("") || value.equals(false) || value instanceof Number number && number.doubleValue() == 0;
        }
    }

    void packed(String typeUrl, ByteString content) throws IOException {
        json.writeStartObject();
        json.writeStringField("@type", typeUrl);
        MessageLite message = unpacked(typeUrl, content);
        if (message != null && WITH_VALUE.contains(message.getClass())) {
            json.writeFieldName("value");
            value(message);
        } else if (message != null) {
            fields(message);
        }
        json.writeEndObject();
    }

    /** Null: nobody here knows what it says. */
    private static MessageLite unpacked(String typeUrl, ByteString content) {
        String type = typeUrl.substring(typeUrl.lastIndexOf('/') + 1);
        String name = PROTOS + (type.startsWith(GOOGLE) ? type.substring(GOOGLE.length()) : type);
        try {
            Class<?> found = Class.forName(name, true, MessageJson.class.getClassLoader());
            if (!MessageLite.class.isAssignableFrom(found)) {
                return null;
            }
            MessageLite none = (MessageLite) found.getMethod("getDefaultInstance").invoke(null);
            return none.getParserForType().parseFrom(content);
        } catch (ReflectiveOperationException | InvalidProtocolBufferException unknown) {
            return null;
        }
    }

    void value(MessageLite message) throws IOException {
        if (message instanceof Any any) {
            if (any.getTypeUrl().isEmpty()) {
                json.writeStartObject();
                json.writeEndObject();
            } else {
                packed(any.getTypeUrl(), any.getValue());
            }
        } else if (message instanceof Duration duration) {
            json.writeString(text(duration));
        } else if (message instanceof Timestamp time) {
            json.writeString(Instant.ofEpochSecond(time.getSeconds(), time.getNanos()).toString());
        } else if (message instanceof Struct struct) {
            struct(struct);
        } else if (message instanceof Value value) {
            value(value);
        } else if (message instanceof ListValue list) {
            list(list);
        } else if (WITH_VALUE.contains(message.getClass())) {
            // All others have one field, which is said even where it is the default.
            write(get(message, "getValue"));
        } else {
            json.writeStartObject();
            fields(message);
            json.writeEndObject();
        }
    }

    private static Object get(MessageLite message, String getter) {
        try {
            return message.getClass().getMethod(getter).invoke(message);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("every wrapper has a value", e);
        }
    }

    private static String text(Duration duration) {
        String sign = duration.getSeconds() < 0 || duration.getNanos() < 0 ? "-" : "";
        long nanos = Math.abs(duration.getNanos());
        String whole = sign + Math.abs(duration.getSeconds());
        if (nanos == 0) {
            return whole + "s";
        }
        int digits = nanos % 1_000_000 == 0 ? 3 : nanos % 1_000 == 0 ? 6 : 9;
        return whole + "." + String.format(Locale.ROOT, "%09d", nanos).substring(0, digits) + "s";
    }

    private void struct(Struct struct) throws IOException {
        json.writeStartObject();
        for (Map.Entry<String, Value> field : struct.getFieldsMap().entrySet()) {
            json.writeFieldName(field.getKey());
            value(field.getValue());
        }
        json.writeEndObject();
    }

    private void list(ListValue list) throws IOException {
        json.writeStartArray();
        for (Value each : list.getValuesList()) {
            value(each);
        }
        json.writeEndArray();
    }

    private void value(Value value) throws IOException {
        switch (value.getKindCase()) {
            case NUMBER_VALUE -> write(value.getNumberValue());
            case STRING_VALUE -> json.writeString(value.getStringValue());
            case BOOL_VALUE -> json.writeBoolean(value.getBoolValue());
            case STRUCT_VALUE -> struct(value.getStructValue());
            case LIST_VALUE -> list(value.getListValue());
            default -> json.writeNull();
        }
    }

    private void fields(MessageLite message) throws IOException {
        try {
            for (Accessors field : known.computeIfAbsent(message.getClass(), MessageJson::accessors)) {
                Object value = field.of(message);
                if (value != null) {
                    json.writeFieldName(field.name);
                    write(value);
                }
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("accessors are public", e);
        }
    }

    private void write(Object value) throws IOException {
        if (value instanceof MessageLite message) {
            value(message);
        } else if (value instanceof List<?> list) {
            json.writeStartArray();
            for (Object each : list) {
                write(each);
            }
            json.writeEndArray();
        } else if (value instanceof Map<?, ?> map) {
            json.writeStartObject();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                json.writeFieldName(entry.getKey().toString());
                write(entry.getValue());
            }
            json.writeEndObject();
        } else if (value instanceof Boolean flag) {
            json.writeBoolean(flag);
        } else if (value instanceof Integer number) {
            // Nearly all of them are unsigned.
            json.writeNumber(Integer.toUnsignedLong(number));
        } else if (value instanceof Double || value instanceof Float) {
            number(((Number) value).doubleValue(), value);
        } else if (value instanceof ByteString bytes) {
            json.writeString(Base64.getEncoder().encodeToString(bytes.toByteArray()));
        } else if (value instanceof Enum<?> constant) {
            json.writeString(constant.name());
        } else {
            // A text, or a number of 64 bits, which JSON's readers would round.
            json.writeString(value.toString());
        }
    }

    private void number(double number, Object value) throws IOException {
        if (Double.isNaN(number)) {
            json.writeString("NaN");
        } else if (Double.isInfinite(number)) {
            json.writeString(number > 0 ? "Infinity" : "-Infinity");
        } else if (number == Math.rint(number) && Math.abs(number) < 1e15) {
            json.writeNumber((long) number);
        } else {
            json.writeNumber(value.toString());
        }
    }

    private static List<Accessors> accessors(Class<?> message) {
        List<Accessors> all = new ArrayList<>();
        Set<String> unreadable = UNREADABLE.getOrDefault(message, Set.of());
        for (Field constant : message.getFields()) {
            boolean isNumber = Modifier.isStatic(constant.getModifiers()) && constant.getName().endsWith(NUMBER);
            if (!isNumber || constant.getDeclaringClass() != message) {
                continue;
            }
            String upper = constant.getName().substring(0, constant.getName().length() - NUMBER.length());
            String name = upper.toLowerCase(Locale.ROOT);
            if (!unreadable.contains(name)) {
                all.add(accessors(message, name, constant));
            }
        }
        all.sort(Comparator.comparingInt(Accessors::order));
        return all;
    }

    private static Accessors accessors(Class<?> message, String name, Field number) {
        String camel = camel(name);
        Method get = method(message, "get" + camel + "Map");
        if (get == null) {
            get = method(message, "get" + camel);
        }
        if (get == null) {
            get = method(message, "get" + camel + "List");
        }
        if (get == null) {
            throw new IllegalStateException(message + " has no accessor for " + name);
        }
        boolean isEnum = Internal.EnumLite.class.isAssignableFrom(get.getReturnType());
        try {
            return new Accessors(
                    name, number.getInt(null), get, method(message, "has" + camel), isEnum ? method(message, "get" + camel + "Value") : null);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException("constants are public", e);
        }
    }

    /** Null: there is none. */
    private static Method method(Class<?> message, String name) {
        try {
            return message.getMethod(name);
        } catch (NoSuchMethodException none) {
            return null;
        }
    }

    /** As Protobuf's compiler does it. */
    private static String camel(String name) {
        StringBuilder camel = new StringBuilder();
        boolean upper = true;
        for (char c : name.toCharArray()) {
            if (c == '_') {
                upper = true;
            } else {
                camel.append(upper ? Character.toUpperCase(c) : c);
                upper = Character.isDigit(c);
            }
        }
        return camel.toString();
    }
}
