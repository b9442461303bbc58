package io.weft.it.policy;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.Duration;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MapEntry;
import com.google.protobuf.Message;
import io.envoyproxy.pgv.validate.Validate;
import io.envoyproxy.pgv.validate.Validate.FieldRules;
import io.weft.it.harness.KumaConfiguration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * A copy of a message in which one field that was set has a value that it must not have: by the rules that Envoy's API itself states
 * for it, or, where it states none, a negative duration, an enum value that does not exist, a regular expression that is none, or
 * something packed that nobody knows.
 *
 * @param field the full name in Envoy's API
 * @param path as in a refusal
 */
record BrokenField(String field, String path, Way way, Message message) {
    private static final int NO_SUCH_VALUE = 4242;

    enum Way { MISSING, NONE_OF_SEVERAL, NO_SUCH_VALUE, NEGATIVE, OUT_OF_RANGE, UNKNOWN_TYPE, GARBAGE, NO_REGEX, NO_PEM, LINE_BREAK }

    /** Whether a refusal with this path says which field it is. Where a field is one of several that say the same, it is named after what holds it. */
    boolean isNamedBy(String refused) {
        boolean held = way == Way.UNKNOWN_TYPE || way == Way.NO_PEM;
        return refused.equals(path) || refused.startsWith(path + '.')
                || held && refused.equals(path.substring(0, Math.max(0, path.lastIndexOf('.'))));
    }

    /** Every set field of the message and of all messages in it, once for each way to break it. */
    static List<BrokenField> allOf(Message resource) {
        List<BrokenField> all = new ArrayList<>();
        walk(resource, "", UnaryOperator.identity(), all);
        return all;
    }

    /** @param whole puts a changed copy of this message in its place in the resource */
    private static void walk(Message message, String path, UnaryOperator<Message> whole, List<BrokenField> all) {
        if (message instanceof Any any) {
            walk(unpacked(any), path, changed -> whole.apply(any.toBuilder().setValue(changed.toByteString()).build()), all);
            return;
        }
        for (Map.Entry<FieldDescriptor, Object> set : message.getAllFields().entrySet()) {
            FieldDescriptor field = set.getKey();
            String at = path.isEmpty() ? field.getName() : path + '.' + field.getName();
            breakWhole(message, field, path, at, whole, all);
            if (field.isMapField()) {
                map(message, field, at, whole, all);
            } else if (field.isRepeated()) {
                List<?> values = (List<?>) set.getValue();
                for (int i = 0; i < values.size(); i++) {
                    int index = i;
                    value(field, values.get(i), at + '[' + i + ']',
                            changed -> whole.apply(message.toBuilder().setRepeatedField(field, index, changed).build()), all);
                }
            } else {
                value(field, set.getValue(), at, changed -> whole.apply(message.toBuilder().setField(field, changed).build()), all);
            }
        }
    }

    private static void map(Message message, FieldDescriptor field, String at, UnaryOperator<Message> whole, List<BrokenField> all) {
        List<?> entries = (List<?>) message.getField(field);
        for (int i = 0; i < entries.size(); i++) {
            int index = i;
            MapEntry<?, ?> entry = (MapEntry<?, ?>) entries.get(i);
            FieldDescriptor valueField = entry.getDescriptorForType().findFieldByName("value");
            value(valueField, entry.getValue(), at + "[\"" + entry.getKey() + "\"]", changed -> whole.apply(message.toBuilder()
                    .setRepeatedField(field, index, entry.toBuilder().setField(valueField, changed).build()).build()), all);
        }
    }

    /** Takes away what has to be there. */
    private static void breakWhole(Message message, FieldDescriptor field, String path, String at, UnaryOperator<Message> whole, List<BrokenField> all) {
        FieldRules rules = field.getOptions().getExtension(Validate.rules);
        OneofDescriptor oneof = field.getRealContainingOneof();
        if (oneof != null) {
            if (oneof.getOptions().getExtension(Validate.required)) {
                all.add(new BrokenField(field.getFullName(), path, Way.NONE_OF_SEVERAL, whole.apply(message.toBuilder().clearField(field).build())));
            }
        } else if (rules.getMessage().getRequired() || rules.getDuration().getRequired() || rules.getAny().getRequired()
                || rules.getString().getMinLen() > 0 && !field.isRepeated() || rules.getRepeated().getMinItems() > 0) {
            all.add(new BrokenField(field.getFullName(), at, Way.MISSING, whole.apply(message.toBuilder().clearField(field).build())));
        }
    }

    private static void value(FieldDescriptor field, Object value, String at, Change whole, List<BrokenField> all) {
        FieldRules rules = field.getOptions().getExtension(Validate.rules);
        FieldRules each = field.isRepeated() ? rules.getRepeated().getItems() : rules;
        String name = field.getFullName();
        if (field.getJavaType() == JavaType.ENUM) {
            EnumValueDescriptor none = field.getEnumType().findValueByNumberCreatingIfUnknown(NO_SUCH_VALUE);
            all.add(new BrokenField(name, at, Way.NO_SUCH_VALUE, whole.apply(none)));
        } else if (value instanceof Duration) {
            all.add(new BrokenField(name, at, Way.NEGATIVE, whole.apply(Duration.newBuilder().setSeconds(-1).build())));
        } else if (value instanceof Any any) {
            all.add(new BrokenField(name, at, Way.UNKNOWN_TYPE, whole.apply(any.toBuilder().setTypeUrl("type.googleapis.com/weft.Unknown").build())));
            all.add(new BrokenField(name, at, Way.GARBAGE, whole.apply(any.toBuilder().setValue(ByteString.copyFromUtf8("\uFFFF")).build())));
        } else if (name.equals("envoy.type.matcher.v3.RegexMatcher.regex")) {
            all.add(new BrokenField(name, at, Way.NO_REGEX, whole.apply("(")));
        } else if (name.startsWith("envoy.config.core.v3.DataSource.inline") && !at.contains("body")) {
            all.add(new BrokenField(name, at, Way.NO_PEM, whole.apply(ByteString.copyFromUtf8("no PEM"))));
        } else if (field.getJavaType() == JavaType.STRING && each.getString().hasWellKnownRegex()) {
            all.add(new BrokenField(name, at, Way.LINE_BREAK, whole.apply("a\nb")));
        } else {
            number(field, value, each, at, whole, all);
        }
        if (value instanceof Message inner && !(value instanceof Duration)) {
            walk(inner, at, whole::apply, all);
        }
    }

    private static void number(FieldDescriptor field, Object value, FieldRules rules, String at, Change whole, List<BrokenField> all) {
        List<Long> wrong = new ArrayList<>();
        switch (rules.getTypeCase()) {
            case UINT32 -> {
                if (rules.getUint32().hasLte()) {
                    wrong.add(rules.getUint32().getLte() + 1L);
                }
                if (rules.getUint32().hasLt()) {
                    wrong.add((long) rules.getUint32().getLt());
                }
                if (rules.getUint32().hasGte()) {
                    wrong.add(rules.getUint32().getGte() - 1L);
                }
                if (rules.getUint32().hasGt()) {
                    wrong.add((long) rules.getUint32().getGt());
                }
            }
            case UINT64 -> {
                if (rules.getUint64().hasLte()) {
                    wrong.add(rules.getUint64().getLte() + 1);
                }
                if (rules.getUint64().hasGte()) {
                    wrong.add(rules.getUint64().getGte() - 1);
                }
            }
            default -> { }
        }
        for (long number : wrong) {
            if (number < 0) {
                continue;
            }
            all.add(new BrokenField(field.getFullName(), at, Way.OUT_OF_RANGE, whole.apply(asTypeOf(field, value, number))));
        }
    }

    private static Object asTypeOf(FieldDescriptor field, Object value, long number) {
        if (value instanceof Message wrapper) {
            FieldDescriptor inner = wrapper.getDescriptorForType().findFieldByName("value");
            return wrapper.toBuilder().setField(inner, asTypeOf(inner, wrapper.getField(inner), number)).build();
        }
        return field.getJavaType() == JavaType.INT ? (Object) (int) number : (Object) number;
    }

    private static Message unpacked(Any any) {
        try {
            return any.unpack(KumaConfiguration.type(any.getTypeUrl().substring(any.getTypeUrl().indexOf('/') + 1)));
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(e);
        }
    }

    @FunctionalInterface
    private interface Change {
        Message apply(Object changed);
    }
}
