using VoiceGrains.Grains.Calls.Interruptions;

namespace VoiceGrains.Grains.Tests.Conversations;

public class BackchannelsTests
{
    [Theory]
    [InlineData("uh-huh", nameof(SoundKind.Backchannel))]
    [InlineData("Yeah, yeahhh. Okay!", nameof(SoundKind.Backchannel))]
    [InlineData("Mmmm... mm-hmm", nameof(SoundKind.Backchannel))]
    [InlineData("all right, I see", nameof(SoundKind.Backchannel))]
    [InlineData("yeah but", nameof(SoundKind.Words))]
    [InlineData("all", nameof(SoundKind.Words))]
    [InlineData("see I", nameof(SoundKind.Words))]
    [InlineData("stop", nameof(SoundKind.Words))]
    [InlineData("nein", nameof(SoundKind.Words))]
    [InlineData("", nameof(SoundKind.Noise))]
    [InlineData(" … [NOISE] (coughs) <unk>", nameof(SoundKind.Noise))]
    [InlineData("[noise] wait", nameof(SoundKind.Words))]
    public void English_IsJudgedByItsWords(string text, string kind) => Assert.Equal(kind, Backchannels.For(null, null).Judge(text).ToString());

    [Theory]
    [InlineData("de-DE", "Ja, genau.", nameof(SoundKind.Backchannel))]
    [InlineData("de", "yeah", nameof(SoundKind.Words))]
    [InlineData("fr", "D’accord, très bien", nameof(SoundKind.Backchannel))]
    [InlineData("ja", "はい、そうですね", nameof(SoundKind.Backchannel))]
    [InlineData("zh-CN", "嗯嗯，好的。", nameof(SoundKind.Backchannel))]
    [InlineData("zh", "不好", nameof(SoundKind.Words))]
    [InlineData("xx", "uh-huh, yeah", nameof(SoundKind.Backchannel))]      // a language without a list
    [InlineData("ru", "Угу, да-да", nameof(SoundKind.Backchannel))]
    public void OtherLanguages_HaveTheirOwn(string hint, string text, string kind) => Assert.Equal(kind, Backchannels.For(null, hint).Judge(text).ToString());

    [Fact]
    public void OwnList_TakesThePlaceOfTheBuiltInOne()
    {
        var own = Backchannels.For(["roger that"], "en");

        Assert.Equal(SoundKind.Backchannel, own.Judge("Roger that, roger that!"));
        Assert.Equal(SoundKind.Words, own.Judge("roger"));
        Assert.Equal(SoundKind.Words, own.Judge("yeah"));
        Assert.Equal(SoundKind.Words, Backchannels.For([], "en").Judge("mm"));
        Assert.Equal(SoundKind.Noise, Backchannels.For([], "en").Judge(""));
    }
}
