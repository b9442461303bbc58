package io.weft.controlplane.policy;

/**
 * Why a document, or a part of a folder, cannot be used.
 *
 * @param file relative to the policy folder, or what else the text came from
 * @param line from 1; 0: the file as a whole
 * @param field path of the field, {@code spec.to[0].rules}; empty: the document as a whole
 * @param message what is wrong and what to do about it; what it quotes may be long, so it is cut to {@link #MAX_MESSAGE}
 */
public record Problem(String file, int line, String field, String message) {
    private static final int MAX_MESSAGE = 500;

    public Problem {
        if (message.length() > MAX_MESSAGE) {
            message = message.substring(0, MAX_MESSAGE - 1) + "…";
        }
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(file);
        if (line > 0) {
            text.append(':').append(line);
        }
        text.append(": ");
        if (!field.isEmpty()) {
            text.append(field).append(": ");
        }
        return text.append(message).toString();
    }
}
