using VoiceGrains.Cli.Audio;

namespace VoiceGrains.Cli.Tests.Audio;

public sealed class CallerAudioTests : IDisposable
{
    private readonly Recordings recordings = new();

    public void Dispose() => recordings.Dispose();

    [Fact]
    public void ARawFile_Is16kHz()
    {
        File.WriteAllBytes(recordings.Path("a.raw"), [1, 0, 0xFF, 0xFF]);
        Assert.Equal([1, -1], CallerAudio.Read(recordings.Path("a.raw"), 16_000).Samples);
    }

    [Fact]
    public async Task AWavFile_IsBroughtToTheCallsRate()
    {
        var path = await recordings.WriteWavAsync("a.wav", 8_000, Recordings.Tone(8_000, 1));
        var audio = CallerAudio.Read(path, 48_000);
        Assert.Equal(48_000, audio.Samples.Length, 50.0);
        Assert.InRange(audio.Samples.Max(), 9_500, 10_500);
    }

    [Theory]
    [InlineData("absent.wav", null)]
    [InlineData("text.wav", "hello")]
    [InlineData("empty.raw", "")]
    public void WhatIsNoAudio_IsAUsageMistakeThatNamesTheFile(string name, string? content)
    {
        if (content is not null)
            File.WriteAllText(recordings.Path(name), content);
        var problem = Assert.Throws<CliException>(() => CallerAudio.Read(recordings.Path(name), 16_000));
        Assert.Equal(CliException.Usage, problem.ExitCode);
        Assert.Contains(name, problem.Message, StringComparison.Ordinal);
    }
}
