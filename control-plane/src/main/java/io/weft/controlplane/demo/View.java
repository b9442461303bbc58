package io.weft.controlplane.demo;

/** What the demo shows while it runs. Called by one thread. */
interface View extends AutoCloseable {
    void says(String line);

    void began(Step step);

    void ended(Step step, StepResult result);

    /** Back to an ordinary terminal. */
    @Override
    void close();
}
