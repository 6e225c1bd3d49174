set confirm off
set debuginfod enabled off
break on_the_inner_fiber
run
backtrace
kill
