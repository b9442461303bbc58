package io.weft.controlplane.policy;

import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a file at its document markers, so that a syntax error costs only the document that it is in. YAML allows
 * {@code ---} at the start of a line nowhere else, not even inside a block of text.
 */
final class DocumentSplitter {

    /** @param firstLine of the text in the file, from 1 */
    record Chunk(int firstLine, String text) {}

    static List<Chunk> split(String file) {
        List<Chunk> chunks = new ArrayList<>();
        StringBuilder current = new StringBuilder();
        int firstLine = 1;
        int line = 0;
        for (String text : file.split("\n", -1)) {
            line++;
            if (isMarker(text)) {
                chunks.add(new Chunk(firstLine, current.toString()));
                current.setLength(0);
                firstLine = line;
                // The marker's line may go on with the document's content; three blanks keep the columns.
                current.append(text.startsWith("---") ? "   " + text.substring(3) : "").append('\n');
            } else {
                current.append(text).append('\n');
            }
        }
        chunks.add(new Chunk(firstLine, current.toString()));
        chunks.removeIf(chunk -> chunk.text().isBlank());
        return chunks;
    }

    private static boolean isMarker(String line) {
        String text = line.stripTrailing();
        return text.equals("---") || text.startsWith("--- ") || text.startsWith("---\t") || text.equals("...");
    }

    private DocumentSplitter() {}
}
