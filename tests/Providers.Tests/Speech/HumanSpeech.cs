using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace VoiceGrains.Providers.Tests.Speech;

/// <summary>Recordings of people with what they said, from the Debian packages pocketsphinx-testdata and alsa-utils.</summary>
internal static partial class HumanSpeech
{
    private const string Data = "/usr/share/pocketsphinx/test/data";

    public sealed record Recording(string Name, string Said, short[] Pcm)
    {
        public double Seconds => Pcm.Length / 16_000.0;
    }

    public static void SkipUnlessInstalled()
        => Assert.SkipUnless(File.Exists($"{Data}/goforward.raw"), "The Debian package pocketsphinx-testdata is not installed.");

    public static Recording GoForward() => new("goforward", "go forward ten meters", Raw($"{Data}/goforward.raw"));

    public static IEnumerable<Recording> All()
    {
        yield return GoForward();
        yield return new("numbers", "thirty three four oh six ninety two", Raw($"{Data}/numbers.raw"));
        yield return new("something", "go somewhere and do something", Raw($"{Data}/something.raw"));
        foreach (var (folder, transcript) in new[] { ("librivox", "transcription"), ("cards", "cards.transcription") })
        {
            foreach (var line in File.ReadLines($"{Data}/{folder}/{transcript}"))
            {
                var match = Transcript().Match(line);
                var said = match.Groups["said"].Value.Replace("<s>", "").Replace("</s>", "").Replace("mister", "mr").Trim();
                yield return new(match.Groups["name"].Value, said, Wav($"{Data}/{folder}/{match.Groups["name"].Value}.wav"));
            }
        }
    }

    private static short[] Raw(string path) => MemoryMarshal.Cast<byte, short>(File.ReadAllBytes(path)).ToArray();

    // Their headers are the plain 44 bytes: 16 kHz, mono, 16 bits.
    private static short[] Wav(string path) => MemoryMarshal.Cast<byte, short>(File.ReadAllBytes(path).AsSpan(44)).ToArray();

    [GeneratedRegex(@"^(?<said>.*)\((?<name>.*)\)")]
    private static partial Regex Transcript();
}
