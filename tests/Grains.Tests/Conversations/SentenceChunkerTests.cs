using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.Grains.Calls.Conversations;

namespace VoiceGrains.Grains.Tests.Conversations;

public class SentenceChunkerTests
{
    private static List<string> Cut(params string[] deltas)
    {
        var pieces = new List<string>();
        var chunker = new SentenceChunker();
        foreach (var delta in deltas) chunker.Add(delta, pieces.Add);
        chunker.Finish(pieces.Add);
        return pieces;
    }

    [Theory]
    [InlineData("Hello there. How are you? Fine!", "Hello there. |How are you? |Fine!")]
    [InlineData("It costs 3.50 euros. Really.", "It costs 3.50 euros. |Really.")]
    [InlineData("Dr. Smith met Mr. J. Doe. They talked.", "Dr. Smith met Mr. J. Doe. |They talked.")]
    [InlineData("It was I. Then you came.", "It was I. |Then you came.")]
    [InlineData("Yes, of course I can do that for you, gladly. Wait, please.", "Yes, of course I can do that for you, |gladly. |Wait, please.")]
    [InlineData("One\nTwo", "One\n|Two")]
    [InlineData("你好。我很好。", "你好。|我很好。")]
    public void Text_IsCutAtSentences_AndTheFirstPieceAlsoAtAClause(string text, string pieces)
        => Assert.Equal(pieces, string.Join("|", Cut(text)));

    [Fact]
    public void Cutting_DoesNotDependOnHowTheTextArrives()
        => Assert.Equal(Cut("Hello there. How are you?"), Cut("Hel", "lo the", "re", ".", " ", "How are", " you?"));

    [Fact]
    public void Pieces_AreTheText_ToTheCharacter()
        => Prop.ForAll<string[]>(deltas => string.Concat(Cut([.. deltas.Select(delta => delta ?? "")])) == string.Concat(deltas)).QuickCheckThrowOnFailure();
}
