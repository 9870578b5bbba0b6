using VoiceGrains.Media;

namespace VoiceGrains.Cli.Tests;

/// <summary>Files to speak from, in a folder of their own.</summary>
public sealed class Recordings : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("vg-tests-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    public string Path(string name) => System.IO.Path.Combine(Folder, name);

    /// <summary>A tone that no one takes for silence.</summary>
    public static short[] Tone(int rateHz, double seconds)
        => [.. Enumerable.Range(0, (int)(rateHz * seconds)).Select(i => (short)(10_000 * Math.Sin(2 * Math.PI * 440 * i / rateHz)))];

    public async Task<string> WriteWavAsync(string name, int rateHz, short[] samples)
    {
        await using var file = File.Create(Path(name));
        var wav = new WavWriter(file, rateHz, 1);
        await wav.WriteAsync(samples);
        await wav.FlushAsync();
        return Path(name);
    }
}
