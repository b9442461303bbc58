package io.weft.dataplane;

/**
 * What is told of requests beside their answers. Nobody pays for what is not.
 *
 * @param debugging null: nobody may ask how he was decided about
 */
record Telling(Debugging debugging, boolean traces) {
    static final Telling NOTHING = new Telling(null, false);
}
