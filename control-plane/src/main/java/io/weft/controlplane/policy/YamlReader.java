package io.weft.controlplane.policy;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Reads one YAML (or JSON) document into {@link Node}s. Aliases and duplicate keys are refused. Thread-safe. */
final class YamlReader {

    /** Deeper than any policy, and shallow enough for the recursion below. */
    private static final int MAX_DEPTH = 100;

    /** What most often is behind what the scanner says. */
    private static final Map<String, String> HINTS = Map.of(
            "mapping values are not allowed here", "a text with a colon in it needs quotes, and a key stands as far in as its neighbours",
            "found character '\\t(TAB)'", "indent by blanks, not by tabs",
            "expected <block end>", "a line stands farther in or out than its neighbours",
            "could not find expected ':'", "a key lacks its colon, or a text its quotes");
    /** After each there is a picture of the source. */
    private static final Pattern PART = Pattern.compile("^ *(\\S[^\\n]*)\\n *in [^\\n]*, line (\\d+), column (\\d+)", Pattern.MULTILINE);

    private final YAMLFactory factory =
            YAMLFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
                    .build();

    /** A syntax error. */
    static final class MalformedException extends Exception {
        private static final long serialVersionUID = 1;
        private final int line;

        MalformedException(int line, String message) {
            super(message);
            this.line = line;
        }

        int line() {
            return line;
        }
    }

    /**
     * @param firstLine the line in the file at which the text begins, from 1
     * @return the document; empty if the text holds only white space and comments
     */
    Optional<Node> read(String text, int firstLine) throws MalformedException {
        int offset = firstLine - 1;
        try (YAMLParser parser = factory.createParser(text)) {
            JsonToken token = parser.nextToken();
            if (token == null) {
                return Optional.empty();
            }
            Node node = value(parser, token, offset);
            if (parser.nextToken() != null) {
                throw new MalformedException(line(parser, offset), "text after the end of the document");
            }
            return node instanceof Node.Null ? Optional.empty() : Optional.of(node);
        } catch (JsonProcessingException e) {
            throw malformed(e, firstLine);
        } catch (IOException e) {
            throw new MalformedException(firstLine, e.getMessage());
        }
    }

    private static Node value(YAMLParser parser, JsonToken token, int offset) throws IOException, MalformedException {
        int line = line(parser, offset);
        if (parser.isCurrentAlias()) {
            throw new MalformedException(line, "YAML aliases are not supported; write the value out");
        }
        return switch (token) {
            case START_OBJECT -> mapping(parser, line, offset);
            case START_ARRAY -> sequence(parser, line, offset);
            case VALUE_STRING -> new Node.Text(line, parser.getText());
            case VALUE_NUMBER_INT -> whole(parser, line);
            case VALUE_NUMBER_FLOAT -> new Node.Fraction(line, parser.getText());
            case VALUE_TRUE -> new Node.Bool(line, true);
            case VALUE_FALSE -> new Node.Bool(line, false);
            case VALUE_NULL -> new Node.Null(line);
            default -> throw new MalformedException(line, "unexpected " + token);
        };
    }

    private static Node whole(YAMLParser parser, int line) throws IOException, MalformedException {
        if (parser.getNumberType() == com.fasterxml.jackson.core.JsonParser.NumberType.BIG_INTEGER) {
            throw new MalformedException(line, "the number " + parser.getText() + " is too large");
        }
        return new Node.Whole(line, parser.getLongValue());
    }

    private static Node mapping(YAMLParser parser, int line, int offset) throws IOException, MalformedException {
        Map<String, Node.Entry> entries = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            int keyLine = line(parser, offset);
            Node value = value(parser, parser.nextToken(), offset);
            if (entries.put(key, new Node.Entry(keyLine, value)) != null) {
                throw new MalformedException(keyLine, "the key '" + key + "' occurs twice; keep one");
            }
        }
        return new Node.Mapping(line, entries);
    }

    private static Node sequence(YAMLParser parser, int line, int offset) throws IOException, MalformedException {
        List<Node> items = new ArrayList<>();
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            items.add(value(parser, token, offset));
        }
        return new Node.Sequence(line, items);
    }

    private static int line(YAMLParser parser, int offset) {
        return parser.currentTokenLocation().getLineNr() + offset;
    }

    /** The scanner says more than Jackson makes of it: where it was, in what that was, and what is wrong there. */
    private static MalformedException malformed(JsonProcessingException e, int firstLine) {
        int offset = firstLine - 1;
        String message = e.getOriginalMessage().strip();
        List<MatchResult> parts = PART.matcher(message).results().toList();
        if (parts.isEmpty()) {
            JsonLocation location = e.getLocation();
            int line = location == null || location.getLineNr() < 1 ? firstLine : location.getLineNr() + offset;
            // Jackson quotes the events of its parser, which say nothing to who wrote the text.
            boolean key = message.startsWith("Expected a field name");
            return new MalformedException(line, key
                    ? "a mapping or a list stands where a key belongs; write key: value, and put text with { or [ in quotes"
                    : message.lines().findFirst().orElse("").strip());
        }
        MatchResult last = parts.get(parts.size() - 1);
        String what = last.group(1);
        String hint = HINTS.entrySet().stream().filter(known -> what.startsWith(known.getKey())).map(known -> "; " + known.getValue())
                .findFirst().orElse("");
        String within = parts.size() > 1 && parts.get(0).group(1).startsWith("while ")
                ? " " + parts.get(0).group(1) + " that begins at line " + line(parts.get(0), offset) + ", column " + parts.get(0).group(3)
                : "";
        return new MalformedException(line(last, offset), "at column " + last.group(3) + ": " + what + within + hint);
    }

    /** The scanner's own line numbers count from the start of the document. */
    private static int line(MatchResult part, int offset) {
        return Integer.parseInt(part.group(2)) + offset;
    }
}
