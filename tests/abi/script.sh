# script.sh - two hundred lines of shell, the same for ash, mksh and bash: what they print under MinOS is what they
# print under Linux (tests/boot/test_abi.py).  PATH leads to busybox's applets; nothing else is in the current directory.

say() { printf '%s\n' "$*"; }

section() {
	say "== $1"
	count=$((count + 1))
}
count=0

section "arithmetic"
i=0 sum=0
while [ $i -lt 100 ]; do
	i=$((i + 1))
	sum=$((sum + i * i % 7))
done
say "sum $sum, shifts $((1 << 20)) $((0x7fffffff >> 3)), logic $((5 > 3 && 2 > 1)) $((7 & 12 | 1 ^ 9))"
fib() {
	if [ "$1" -lt 2 ]; then
		say "$1"
	else
		say $(($(fib $(($1 - 1))) + $(fib $(($1 - 2)))))
	fi
}
say "fib $(fib 9)"

section "strings"
path=/usr/local/lib/file.tar.gz
say "${path##*/} ${path%/*} ${path%.*} ${path%%.*} ${path#*/} ${#path}"
unset nothing
say "${nothing:-default} ${nothing-unset} ${path:+set}"
: "${nothing:=assigned}"
say "$nothing"
for word in a "b c" 'd $e' f\ g; do say "<$word>"; done
set -- one "two words" three
say "$# $1 $2 $3"
shift 2
say "$# $*"
IFS=:
set -- $(echo a:b:c)
IFS='
 	'
say "$# $3"

section "case and patterns"
kind() {
	case $1 in
	[0-9]*) say "$1: number" ;;
	*.c | *.h) say "$1: source" ;;
	?) say "$1: one letter" ;;
	"") say "empty" ;;
	*) say "$1: something" ;;
	esac
}
for x in 42 main.c z "" list.h word; do kind "$x"; done

section "files and globbing"
mkdir -p d/sub "d/with blank"
for n in 1 2 3 10; do echo "file $n" > d/f$n; done
: > d/sub/.hidden
say d/f* d/f? d/[!f]*
say d/none*
[ -f d/f1 ] && [ ! -e d/f4 ] && [ -d d/sub ] && say "tests hold"
[ d/f1 -ef d/../d/f1 ] && say "same file"
cp d/f1 d/copy && mv d/copy d/moved && ln -s moved d/link && ln d/f2 d/hard
say "$(readlink d/link) $(cat d/link) $(cat d/hard)"
[ -L d/link ] && [ -h d/link ] && say "a link"
chmod 640 d/f3
ls -l d/f3 | cut -c1-10
umask 027
touch d/masked
ls -l d/masked | cut -c1-10
umask 022
find d | sort
find d -name 'f*' -type f | sort | wc -l
rm -r d/sub "d/with blank"
ls d | tr '\n' ' '
echo

section "redirection"
{
	say to-out
	say to-err >&2
} > out 2> err
say "$(cat out) $(cat err)"
say more >> out
wc -l < out
exec 3> third
say third >&3
exec 3>&-
cat third
cat nothing-there 2> /dev/null || say "status $?"
cat << END
expanded $count
END
cat << 'END'
not expanded $count
END
cat <<- END
	without tabs
	END

section "pipelines"
printf '%s\n' pear apple fig apple cherry | sort | uniq -c | sort -rn | head -1 | tr -s ' '
seq 1 20 | grep -v '[13579]$' | tr '\n' ','
echo
seq 1 1000 | awk '{ s += $1 } END { print s, NR }'
printf 'a b c\nd e f\n' | while read -r first rest; do say "$first|$rest"; done
printf 'one\ntwo\nthree\n' | sed -n '2s/two/TWO/p'
printf 'x=1\ny=2\n' | sed 's/\([a-z]\)=\([0-9]\)/\2 is \1/'
yes | head -1000 | wc -c
false | true && say "the last one counts"
true | false || say "status $?"
dd if=/dev/zero bs=1024 count=64 2> /dev/null | wc -c
say hello | tr a-z A-Z | rev
printf '%5d|%-5s|%05.1f|%x|%o|%c\n' 42 ab 3.14159 255 8 Z

section "functions and subshells"
outer() {
	var=changed
	(
		var=inner
		exit 3
	)
	say "status $? var $var"
	return 7
}
var=before
outer
say "returned $? var $var"
value=$(
	echo nested "$(echo "$(echo deep)")"
)
say "$value"
recurse() {
	[ "$1" -eq 0 ] && return 0
	recurse $(($1 - 1)) && say -n . 2> /dev/null
}
recurse 3
say "done"

section "traps and signals"
(
	trap 'say "exit trap"' EXIT
	exit 4
)
say "status $?"
trap 'say "got USR1"' USR1
kill -USR1 $$
say "signalled $?"
(
	trap 'say "the subshell has its own"' USR2
	sh -c 'kill -USR2 $PPID'
	say "and goes on"
)
trap - USR1
sleep 20 &
kill $!
wait $!
say "killed $?"
(kill -KILL $(sh -c 'echo $PPID')) 2> /dev/null
say "subshell $?"

section "jobs"
for n in 3 1 2; do
	(
		usleep ${n}00000
		say "job $n"
	) &
done
wait
say "all back"

section "text tools"
cat > table << END
delta 4
alpha 1
charlie 3
bravo 2
END
sort table
sort -k2n table | awk '{ print NR ": " $1 }'
cut -d' ' -f2 table | paste -s -d+
join_lines=$(tr '\n' ';' < table)
say "$join_lines"
head -2 table | tail -1
grep -c a table
grep -n '^b' table
awk '$2 > 2 { n++; s = s $1 " " } END { print n, s }' table
sed -e '/alpha/d' -e 's/delta/DELTA/' table
tac table | head -1
expr 6 \* 7
basename /a/b/c.txt .txt
dirname /a/b/c.txt
printf 'abc' | od -An -tx1 | tr -d ' '
md5sum table | cut -c1-8
sha256sum table | cut -c1-8
diff table out > /dev/null || say "they differ"
cmp table table && say "the same"

section "archives"
mkdir tree tree/a
seq 1 500 > tree/a/numbers
cp table tree
tar cf tree.tar tree
tar tf tree.tar | sort
gzip -9 < tree.tar > tree.tgz
gunzip -c tree.tgz | cmp - tree.tar && say "gzip is lossless"
rm -r tree
tar xzf tree.tgz
wc -l < tree/a/numbers
bzip2 -c table | bunzip2 -c | cmp - table && say "bzip2 too"

say "$count sections"
