package io.weft.benchmarks;

/** What every picture has. */
final class Svg {
    private Svg() {}

    /**
     * The beginning of a picture, up to its title; whoever asks for it ends it.
     *
     * @param title for people, and for whoever hears the picture
     */
    static StringBuilder begin(int width, int height, String style, String title) {
        return new StringBuilder("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\">%n".formatted(width, height))
                .append("<title>").append(escaped(title)).append("</title>\n<style>").append(style).append("</style>\n")
                .append("<text class=\"title\" x=\"8\" y=\"24\">").append(escaped(title)).append("</text>\n");
    }

    static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
