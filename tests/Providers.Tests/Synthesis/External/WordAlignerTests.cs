using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Tests.Synthesis.External;

public sealed class WordAlignerTests
{
    [Theory]
    [InlineData("Hello, my friend.", "Hello, my friend.", "Hello,@0-1 my@1-2 friend.@2-3")]
    [InlineData("Hello, my friend.", "hello my FRIEND", "Hello,@0-1 my@1-2 friend.@2-3")]                          // written in another way
    [InlineData("It costs $5 today.", "It costs five dollars today", "It@0-1 costs@1-2 $5@2-4 today.@4-5")]         // normalised
    [InlineData("Dr. Smith lives here.", "Doctor Smith lives here", "Dr.@0-1 Smith@1-2 lives@2-3 here.@3-4")]
    [InlineData("A well-known fact.", "A well known fact", "A@0-1 well-known@1-3 fact.@3-4")]                       // split
    [InlineData("So, well known to us.", "So wellknown to us", "So,@0-1 well@1-1.44 known@1.44-2 to@2-3 us.@3-4")]     // joined
    [InlineData("One <break time='1s'/> two.", "One two", "One@0-1 <break@1-1 time='1s'/>@1-1 two.@1-2")]           // left out
    [InlineData("Pay 1,234 now", "Pay one thousand two hundred", "Pay@0-1 1,234@1-3.29 now@3.29-5")]                  // the end is read in another way: "now" too
    [InlineData("Yes - no * maybe", "Yes no maybe", "Yes@0-1 no@1-2 maybe@2-3")]                                    // mere punctuation is not spoken
    [InlineData("你好，世界", "你 好 世 界", "你@0-1 好，@1-2 世@2-3 界@3-4")]                                      // written without spaces
    [InlineData("Straße über İzmir", "straße ÜBER izmir", "Straße@0-1 über@1-2 İzmir@2-3")]
    [InlineData("the cat and the dog", "the cat and the dog", "the@0-1 cat@1-2 and@2-3 the@3-4 dog@4-5")]           // the same word twice
    [InlineData("Hi", "", "")]
    public void SpokenWords_AreFoundInTheText(string text, string spoken, string expected)
    {
        var aligner = new WordAligner();
        aligner.AppendText(text);
        var timings = Speak(aligner, spoken.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(expected, string.Join(' ', timings.Select(t => FormattableString.Invariant($"{text[t.TextStart..t.TextEnd]}@{t.Start.TotalSeconds:0.##}-{t.End.TotalSeconds:0.##}"))));
    }

    [Fact]
    public void AProviderThatSaysSomethingElse_IsFollowedWordByWord()
    {
        var aligner = new WordAligner();
        aligner.AppendText(string.Join(' ', Enumerable.Range(0, 40).Select(i => $"word{i}")));
        var timings = Speak(aligner, [.. Enumerable.Range(0, 120).Select(i => $"noise{i}")]);
        Assert.Equal(40, timings.Count);
        SpokenUtterance.AssertForward(timings, aligner.TextLength, TimeSpan.FromSeconds(120));
    }

    [Fact]
    public void Characters_AreWordsAsSoonAsTheTextSaysSo()
    {
        var aligner = new WordAligner();
        aligner.AppendText("car cart.");
        var characters = new CharacterWords(aligner);
        var timings = new List<WordTiming>();
        Say("ca", 0);
        Assert.Empty(timings);
        Say("r", 2);                                     // the text has "car" here, so no more needs to come
        Assert.Equal(new WordTiming(0, 3, TimeSpan.Zero, TimeSpan.FromSeconds(3)), Assert.Single(timings));
        Say(" car", 3);                                  // here it has "cart."
        Assert.Single(timings);
        Say("t.", 7);
        characters.EndWord(timings);
        Assert.Equal(new WordTiming(4, 9, TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(9)), timings[1]);

        void Say(string text, int second)
        {
            foreach (var character in text)
                characters.Add(character.ToString(), TimeSpan.FromSeconds(second), TimeSpan.FromSeconds(++second), timings);
            characters.Pause(timings);
        }
    }

    [Fact]
    public void ExactWords_AreTimedExactly_HoweverTheTextCame() => Prop.ForAll(Words.NonEmptyListOf().ToArbitrary(), Gen.Choose(1, 4).ToArbitrary(), (words, perPiece) =>
    {
        var aligner = new WordAligner();
        foreach (var piece in words.Chunk(perPiece)) aligner.AppendText(string.Join(' ', piece) + " ");
        var timings = Speak(aligner, [.. words]);
        Assert.Equal(words.Count, timings.Count);
        Assert.All(timings.Index(), t => Assert.Equal((TimeSpan.FromSeconds(t.Index), TimeSpan.FromSeconds(t.Index + 1)), (t.Item.Start, t.Item.End)));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void WhateverIsSpoken_TextAndTimeGoForward() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<string?>().ListOf().ToArbitrary(), Gen.Zip(Words, Gen.Choose(-3, 9)).ListOf().ToArbitrary(), (pieces, spoken) =>
    {
        var aligner = new WordAligner();
        var timings = new List<WordTiming>();
        aligner.AppendText("a few words first ");
        foreach (var ((word, at), i) in spoken.Select((s, i) => (s, i)))
        {
            if (i < pieces.Count) aligner.AppendText(pieces[i] ?? "");
            aligner.Add(word, TimeSpan.FromSeconds(at), TimeSpan.FromSeconds(at + i % 3 - 1), timings);
        }
        aligner.Finish(timings);
        SpokenUtterance.AssertForward(timings, aligner.TextLength, TimeSpan.FromSeconds(20));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void AWordThatIsSpokenAsWritten_IsFoundAgainAfterAnythingElse() => Prop.ForAll(
        Words.ListOf().Where(w => w.Count < 4).ToArbitrary(), Words.ListOf().Where(w => w.Count < 4).ToArbitrary(), (written, said) =>
    {
        var aligner = new WordAligner();
        aligner.AppendText($"{string.Join(' ', written.Select(w => "x" + w))} Anchor. end");
        var timings = Speak(aligner, [.. said.Select(w => "y" + w), "anchor"]);
        var anchor = Assert.Single(timings, t => t.End == TimeSpan.FromSeconds(said.Count + 1) && t.Start == TimeSpan.FromSeconds(said.Count) && t.TextEnd - t.TextStart == "Anchor.".Length);
        Assert.Equal(timings[^1], anchor);
    }).QuickCheckThrowOnFailure();

    private static Gen<string> Words => Gen.Elements("the", "a", "cat", "dog,", "well-known", "$5", "five", "Dr.", "don't", "über", "12", "no", "I", "(and)", "end.");

    private static List<WordTiming> Speak(WordAligner aligner, string[] words)
    {
        var timings = new List<WordTiming>();
        for (var i = 0; i < words.Length; i++) aligner.Add(words[i], TimeSpan.FromSeconds(i), TimeSpan.FromSeconds(i + 1), timings);
        aligner.Finish(timings);
        return timings;
    }
}
