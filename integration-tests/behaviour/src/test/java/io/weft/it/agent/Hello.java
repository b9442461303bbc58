package io.weft.it.agent;

/** An app that needs no mesh. */
public final class Hello {
    private Hello() {}

    public static void main(String[] args) {
        System.out.println("hello");
    }
}
