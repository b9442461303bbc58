package io.weft.benchmarks;

import java.util.function.Consumer;

/** Measures one line of the design's table of budgets. */
interface Benchmark {
    String name();

    /** One line for {@code --list}. */
    String summary();

    /** @param figures told each figure as soon as it is there */
    void run(Settings settings, Consumer<Figure> figures) throws Exception;
}
