package io.weft.instrumentation.sample;

import sample.library.Greeter;

record Decoration(Greeter greeter, String secret) {
    String of(String text) {
        return text + " " + secret + " " + greeter.inherited();
    }
}
