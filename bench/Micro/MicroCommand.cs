using System.CommandLine;
using BenchmarkDotNet.Running;

namespace VoiceGrains.Bench.Micro;

/// <summary>The steps that every call pays for with each frame, one by one.</summary>
internal static class MicroCommand
{
    public static Command Create()
    {
        var arguments = new Argument<string[]>("ARGUMENTS") { Description = "BenchmarkDotNet's own, after --; for example --job short --filter '*Vad*'.", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("micro", "Micro-benchmarks of the audio path.") { arguments };
        command.SetAction(given =>
        {
            var own = given.GetValue(arguments)!;
            BenchmarkSwitcher.FromAssembly(typeof(MicroCommand).Assembly).Run(own.Length == 0 ? ["--filter", "*"] : own);
        });
        return command;
    }
}
