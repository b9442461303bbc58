package io.weft.policy.parse;

import io.weft.policy.proto.protobuf.Struct;
import io.weft.policy.proto.protobuf.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Metadata as plain values that are equal when Envoy takes them to be. */
final class StructParser {
    private StructParser() {}

    /** Values are String, Double, Boolean, List, Map, or an empty Optional for null. */
    static Map<String, Object> parse(Struct struct) {
        if (struct.getFieldsCount() == 0) {
            return Map.of();
        }
        Map<String, Object> values = new HashMap<>();
        for (Map.Entry<String, Value> field : struct.getFieldsMap().entrySet()) {
            values.put(field.getKey(), value(field.getValue()));
        }
        return Map.copyOf(values);
    }

    private static Object value(Value value) {
        switch (value.getKindCase()) {
            case STRING_VALUE:
                return value.getStringValue();
            case BOOL_VALUE:
                return value.getBoolValue();
            case NUMBER_VALUE:
                return value.getNumberValue();
            case LIST_VALUE:
                List<Object> list = new ArrayList<>(value.getListValue().getValuesCount());
                for (Value element : value.getListValue().getValuesList()) {
                    list.add(value(element));
                }
                return List.copyOf(list);
            case STRUCT_VALUE:
                return parse(value.getStructValue());
            default:
                return Optional.empty();
        }
    }
}
