using VoiceGrains.Media;

namespace VoiceGrains.Cli.Talk;

/// <summary>Saves what was heard: <c>agent.wav</c>, and <c>mix.wav</c> with the caller on the left and the agent on the right.</summary>
internal static class CallWav
{
    /// <summary>Makes the folder that was asked for, so that one that cannot be is told before the call.</summary>
    /// <exception cref="CliException">It cannot be made.</exception>
    public static void Prepare(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"--out: the folder {folder} cannot be made: {failure.Message}", CliException.Usage);
        }
    }

    public static async Task SaveAsync(string folder, short[] caller, short[] agent, int sampleRateHz)
    {
        try
        {
            Directory.CreateDirectory(folder);
            await WriteAsync(Path.Combine(folder, "agent.wav"), agent, sampleRateHz, channels: 1);
            await WriteAsync(Path.Combine(folder, "mix.wav"), Interleave(caller, agent), sampleRateHz, channels: 2);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"The sound cannot be saved in {folder}: {failure.Message}");
        }
    }

    private static short[] Interleave(short[] left, short[] right)
    {
        var mix = new short[2 * Math.Max(left.Length, right.Length)];
        for (var i = 0; i < left.Length; i++)
            mix[2 * i] = left[i];
        for (var i = 0; i < right.Length; i++)
            mix[2 * i + 1] = right[i];
        return mix;
    }

    private static async Task WriteAsync(string path, short[] samples, int sampleRateHz, int channels)
    {
        await using var file = File.Create(path);
        var wav = new WavWriter(file, sampleRateHz, channels);
        await wav.WriteAsync(samples);
        await wav.FlushAsync();
    }
}
