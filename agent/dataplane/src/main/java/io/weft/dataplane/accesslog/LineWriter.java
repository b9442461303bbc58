package io.weft.dataplane.accesslog;

import io.weft.dataplane.Headers;
import io.weft.dataplane.RequestHead;
import io.weft.dataplane.format.Formatter;
import io.weft.dataplane.format.JsonText;
import io.weft.dataplane.format.ProcessInfo;
import io.weft.dataplane.format.StreamInfo;
import io.weft.policy.model.AccessLog.JsonArray;
import io.weft.policy.model.AccessLog.JsonFormat;
import io.weft.policy.model.AccessLog.JsonLine;
import io.weft.policy.model.AccessLog.JsonLiteral;
import io.weft.policy.model.AccessLog.JsonObject;
import io.weft.policy.model.AccessLog.JsonValue;
import io.weft.policy.model.AccessLog.Line;
import io.weft.policy.model.AccessLog.TextLine;
import io.weft.policy.model.Format;
import io.weft.policy.model.FormatOperator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes the line of a request, its line break with it. Immutable. */
abstract sealed class LineWriter {
    abstract String line(RequestHead request, Headers response, StreamInfo info);

    /** @param responseHeaders to which those are added that the line asks for */
    static LineWriter of(Line line, ProcessInfo process, Set<String> responseHeaders) {
        if (line instanceof TextLine text) {
            collect(text.format(), responseHeaders);
            return new Text(Formatter.of(text.format(), process), text.omitEmpty() ? "" : "-");
        }
        JsonLine json = (JsonLine) line;
        return new Json(node(json.fields(), process, responseHeaders), json.omitEmpty());
    }

    private static void collect(Format format, Set<String> responseHeaders) {
        for (Format.Part part : format.parts()) {
            if (part instanceof Format.Command command && command.operator() == FormatOperator.RESP) {
                responseHeaders.addAll(command.arguments());
            }
        }
    }

    private static final class Text extends LineWriter {
        private final Formatter format;
        private final String missing;

        Text(Formatter format, String missing) {
            this.format = format;
            this.missing = missing;
        }

        @Override
        String line(RequestHead request, Headers response, StreamInfo info) {
            return format.format(request, response, info, missing);
        }
    }

    private static final class Json extends LineWriter {
        private final Node fields;
        private final boolean omitEmpty;

        Json(Node fields, boolean omitEmpty) {
            this.fields = fields;
            this.omitEmpty = omitEmpty;
        }

        @Override
        String line(RequestHead request, Headers response, StreamInfo info) {
            String object = fields.write(request, response, info, omitEmpty);
            return (object == null ? "{}" : object) + "\n";
        }
    }

    /** A part of a JSON document. */
    @FunctionalInterface
    private interface Node {
        /** @return null: there is nothing, and it is to be left out */
        String write(RequestHead request, Headers response, StreamInfo info, boolean omitEmpty);
    }

    private static Node node(JsonValue value, ProcessInfo process, Set<String> responseHeaders) {
        if (value instanceof JsonLiteral literal) {
            return (request, response, info, omitEmpty) -> literal.text();
        }
        if (value instanceof JsonFormat format) {
            collect(format.format(), responseHeaders);
            return format(format.format(), process);
        }
        if (value instanceof JsonArray array) {
            List<Node> nodes = new ArrayList<>();
            array.values().forEach(element -> nodes.add(node(element, process, responseHeaders)));
            return (request, response, info, omitEmpty) -> {
                List<String> texts = new ArrayList<>();
                for (Node node : nodes) {
                    String text = node.write(request, response, info, omitEmpty);
                    if (text != null) {
                        texts.add(text);
                    }
                }
                return "[" + String.join(",", texts) + "]";
            };
        }
        List<Map.Entry<String, Node>> fields = new ArrayList<>();
        ((JsonObject) value).fields().forEach((name, field) ->
                fields.add(Map.entry(JsonText.quoted(name), node(field, process, responseHeaders))));
        return (request, response, info, omitEmpty) -> {
            List<String> texts = new ArrayList<>();
            for (Map.Entry<String, Node> field : fields) {
                String text = field.getValue().write(request, response, info, omitEmpty);
                if (text != null) {
                    texts.add(field.getKey() + ":" + text);
                }
            }
            return texts.isEmpty() && omitEmpty ? null : "{" + String.join(",", texts) + "}";
        };
    }

    /** One operator alone keeps its type and may be null; among others it is text, with a dash for what is not known. */
    private static Node format(Format format, ProcessInfo process) {
        Formatter formatter = Formatter.of(format, process);
        boolean alone = format.parts().size() == 1 && format.parts().get(0) instanceof Format.Command;
        if (!alone) {
            return (request, response, info, omitEmpty) ->
                    JsonText.quoted(formatter.format(request, response, info, omitEmpty ? "" : "-"));
        }
        boolean number = ((Format.Command) format.parts().get(0)).number();
        return (request, response, info, omitEmpty) -> {
            String value = formatter.single(request, response, info);
            if (value == null) {
                return omitEmpty ? null : "null";
            }
            return number ? value : JsonText.quoted(value);
        };
    }
}
