package io.weft.controlplane.policy;

import java.util.List;
import java.util.Map;

/** A YAML value that knows its line, counted from 1 in the file. */
sealed interface Node {

    int line();

    /** What an error message calls it. */
    String describe();

    record Mapping(int line, Map<String, Entry> entries) implements Node {
        @Override
        public String describe() {
            return "a mapping";
        }
    }

    /** A key's own line differs from its value's when the value is a block. */
    record Entry(int keyLine, Node value) {}

    record Sequence(int line, List<Node> items) implements Node {
        @Override
        public String describe() {
            return "a list";
        }
    }

    record Text(int line, String value) implements Node {
        @Override
        public String describe() {
            return "the text '" + value + "'";
        }
    }

    record Whole(int line, long value) implements Node {
        @Override
        public String describe() {
            return "the number " + value;
        }
    }

    record Fraction(int line, String text) implements Node {
        @Override
        public String describe() {
            return "the number " + text;
        }
    }

    record Bool(int line, boolean value) implements Node {
        @Override
        public String describe() {
            return Boolean.toString(value);
        }
    }

    record Null(int line) implements Node {
        @Override
        public String describe() {
            return "nothing";
        }
    }
}
