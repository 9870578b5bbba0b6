using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace VoiceGrains.Bench.Micro;

/// <summary>The steps that every call pays for with each frame, one by one.</summary>
internal static class MicroCommand
{
    public static Command Create()
    {
        var arguments = new Argument<string[]>("ARGUMENTS") { Description = "BenchmarkDotNet's own, after --; for example --filter '*Vad*'.", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("micro", "Micro-benchmarks of the audio path.") { arguments };
        command.SetAction(given =>
        {
            var own = given.GetValue(arguments)!;
            // In this process: nothing here is changed by its neighbours, and a build per benchmark would take minutes.
            var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance)).WithArtifactsPath(Path.Combine(Path.GetTempPath(), "voicegrains-bench"));
            BenchmarkSwitcher.FromAssembly(typeof(MicroCommand).Assembly).Run(own.Length == 0 ? ["--filter", "*"] : own, config);
        });
        return command;
    }
}
