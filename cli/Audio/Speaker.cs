using System.Diagnostics;
using System.Runtime.InteropServices;

namespace VoiceGrains.Cli.Audio;

/// <summary>The machine's loudspeaker through <c>aplay</c>, which holds about 100 ms: short enough to need no clearing.</summary>
internal sealed class Speaker(int sampleRateHz) : IDisposable
{
    private readonly Process player = AlsaTool.Start("aplay", sampleRateHz, ["--buffer-time=100000"], input: true);

    public void Play(ReadOnlySpan<short> pcm)
    {
        try
        {
            player.StandardInput.BaseStream.Write(MemoryMarshal.AsBytes(pcm));
            player.StandardInput.BaseStream.Flush();
        }
        catch (IOException)
        {
            // aplay has gone; the call goes on, and its sound is still saved.
        }
    }

    public void Dispose() => AlsaTool.Stop(player);
}

/// <summary>Runs <c>arecord</c> and <c>aplay</c> on raw 16-bit mono.</summary>
internal static class AlsaTool
{
    private static readonly TimeSpan FailsWithin = TimeSpan.FromMilliseconds(300);

    /// <exception cref="CliException">It is not installed, or ended at once because there is no device.</exception>
    public static Process Start(string tool, int sampleRateHz, string[] options, bool input)
    {
        string[] format = ["-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", $"{sampleRateHz}"];
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo(tool, [.. format, .. options])
            {
                RedirectStandardInput = input,
                RedirectStandardOutput = !input,
                RedirectStandardError = true,
            })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new CliException($"{tool} is missing: apt-get install alsa-utils", CliException.Usage);
        }
        if (process.WaitForExit(FailsWithin))
            throw new CliException($"{tool} found no sound device: {process.StandardError.ReadToEnd().Trim()}", CliException.Usage);
        process.ErrorDataReceived += static (_, _) => { };      // read, so that a full pipe never stops it
        process.BeginErrorReadLine();
        return process;
    }

    public static void Stop(Process process)
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
    }
}
